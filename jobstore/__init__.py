"""Redis, and Redis only: the one place that knows a key's name or a TTL."""
