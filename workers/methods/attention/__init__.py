"""Methods that show where the tokens of a vision transformer attend to: one module for each method."""
