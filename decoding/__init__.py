"""Decoding of uploaded image files, in child processes with limited time and memory."""
