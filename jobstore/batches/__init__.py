"""Batches: many submissions that are made together and become jobs as there is room."""
