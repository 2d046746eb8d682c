"""Annotations checked while the tests run, array shapes and dtypes included (jaxtyping with beartype)."""

from __future__ import annotations

from beartype import BeartypeConf, beartype
from jaxtyping import install_import_hook

CHECKED = ("workers.rendering", "workers.methods", "workers.decoding", "workers.contract.colours", "workers.models.preprocessing")

check = beartype(conf=BeartypeConf(is_pep484_tower=True))  # an int is a float, as for pyright


def check_annotations() -> None:
    """From now on; call it before what is checked is imported."""
    install_import_hook(CHECKED, f"{__name__}.check")
