"""Timings beside published code."""
