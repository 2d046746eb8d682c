"""Hold one file for each fault. Each file defines `FAULT`, and the registry finds it."""
