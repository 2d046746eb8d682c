"""Connections that the service opens to addresses which a caller names. They reach public addresses only."""
