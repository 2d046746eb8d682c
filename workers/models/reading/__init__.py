"""Reading of model files: a child process without network reads a file, and a checked configuration and arrays reach the worker."""
