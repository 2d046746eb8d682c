"""Models on the worker: they are loaded by the loader of their source, checked, converted, described and kept in memory."""
