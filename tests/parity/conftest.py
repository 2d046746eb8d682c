"""Fixtures of the comparisons with other libraries."""

from __future__ import annotations

import pytest

from workers.contract.map_place import MapPlace
from workers.engine.probe import KerasProbe


@pytest.fixture
def maps_are_stretched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lay every map over the whole input, as all peers do. Ours leaves out what convolutions without padding leave out (decision 0047)."""
    monkeypatch.setattr(KerasProbe, "map_place", lambda _probe, _layer, size: MapPlace.whole(size))
