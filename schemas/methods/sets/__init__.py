"""Parameters of methods that look at sets of photos, or at several models."""
