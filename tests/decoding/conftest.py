from __future__ import annotations

from collections.abc import Iterator

import pytest

from decoding.decoder import Decoder


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    with Decoder(seconds=60) as decoder:  # a busy machine must not fail the tests
        yield decoder
