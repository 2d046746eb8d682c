"""The files that `make typescript` writes are those that the code gives now."""

from __future__ import annotations

import pytest

from cli import typescript_methods
from tests.typescript import generate


def test_the_methods_of_the_typescript_client_are_current() -> None:
    assert typescript_methods.PAGE.read_text("utf-8") == typescript_methods.written(), "run `make typescript`"


@pytest.mark.slow
def test_the_types_of_the_typescript_client_are_current() -> None:
    assert generate.SCHEMA.read_text("utf-8") == generate.schema(), "run `make typescript`"
