"""Check annotations while the tests run, including the shapes and dtypes of arrays (jaxtyping with beartype)."""

from __future__ import annotations

from beartype import BeartypeConf, beartype
from jaxtyping import install_import_hook

CHECKED = ("rendering", "workers.methods", "decoding", "workers.contract.colours", "workers.models.preprocessing")

check = beartype(conf=BeartypeConf(is_pep484_tower=True))  # an int passes where a float is expected, as in pyright


def check_annotations() -> None:
    """Check all calls of the modules in `CHECKED`. Call this before they are imported."""
    install_import_hook(CHECKED, f"{__name__}.check")
