"""Checks of the source text that `make lint` runs. Each one is a script: `python -m tests.gates.size`."""
