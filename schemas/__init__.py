"""The contract: what callers, service, store and workers say to each other. Pydantic only."""
