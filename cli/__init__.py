"""The command `convscope`."""
