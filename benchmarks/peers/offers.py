"""The implementations of a process: which library does which kind of work, and how."""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata

from benchmarks.peers.work import Given, PeerWork

Call = Callable[[], object]
"""It does the work once."""

Setup = Callable[[PeerWork, Given], Call]
"""It makes models and functions ready, and returns the call that is timed. Its own time does not count."""

_offers: dict[tuple[str, str], Setup] = {}


def offers(kind: str, name: str) -> Callable[[Setup], Setup]:
    """Register a set-up as the implementation `name` of a kind of work."""

    def register(setup: Setup) -> Setup:
        _offers[kind, name] = setup
        return setup

    return register


def names_for(kind: str) -> list[str]:
    """Return the names of this process's implementations of a kind of work."""
    return [name for offered, name in _offers if offered == kind]


def set_up(work: PeerWork, name: str, given: Given) -> Call:
    """Make an implementation ready, and return its call."""
    return _offers[work.kind, name](work, given)


def versions(*packages: str) -> dict[str, str]:
    """Return the installed versions of packages."""
    return {package: metadata.version(package) for package in packages}
