"""The error that a wrong models.toml or models folder raises."""

from __future__ import annotations


class CatalogError(ValueError):
    """The operator's settings of a model are wrong. The message names the file and the field or the model at fault."""
