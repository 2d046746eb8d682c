"""Parameters of the methods that show attention: one module for each method."""
