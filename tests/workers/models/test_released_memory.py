"""Memory is given back, and objects that live as long as the process are not looked at for that."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from weakref import ref

import pytest

from workers.models.released_memory import exclude_imported_objects, release_memory


class _Ring:
    """It refers to itself, so only the garbage collector frees it."""

    def __init__(self) -> None:
        self.own = self


@pytest.fixture
def _unfrozen() -> Iterator[None]:
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("_unfrozen")
def test_only_objects_that_are_younger_than_the_imports_are_collected() -> None:
    gc.disable()
    try:
        before = _Ring()
        exclude_imported_objects()
        after = _Ring()
        old, young = ref(before), ref(after)
        assert any(each is after for each in gc.get_objects())
        assert not any(each is before for each in gc.get_objects())
        del before, after
        release_memory()
        assert (old() is None, young() is None) == (False, True)
        gc.unfreeze()
        release_memory()
        assert old() is None
    finally:
        gc.enable()
