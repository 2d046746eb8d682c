"""What parameters of several methods share; no method stands here."""
