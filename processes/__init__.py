"""Child processes that end with their parent, and the Redis server that convscope starts by itself."""
