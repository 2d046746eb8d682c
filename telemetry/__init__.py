"""Structured logs of the service and the workers."""
