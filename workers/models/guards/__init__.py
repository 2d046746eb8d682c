"""Checks of untrusted model files, made before anything in a file is built or read."""
