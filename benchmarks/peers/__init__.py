"""The engine beside other libraries: each family of libraries in a process of its own, called in turn."""
