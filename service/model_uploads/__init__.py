"""Receive models that callers upload, let a worker check them, and keep them in the models folder."""
