"""What service and workers say about themselves: structured logs."""
