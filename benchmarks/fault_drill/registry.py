"""Find the faults of the drill: each module of `benchmarks/fault_drill/faults` defines one as `FAULT`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fault_drill import faults


@dataclass(frozen=True)
class Figure:
    """One measured figure beside the promise that it must hold.

    `value` and `promise` are texts with their units, for example "2.1 s" and "within 5 s". `compares_times` is true if the promise is a
    ratio of two times. Other programs on the machine change it, so the drill checks it, and the tests do not.
    """

    subject: str
    promise: str
    value: str
    holds: bool
    compares_times: bool = False

    def __str__(self) -> str:
        return f"{'holds ' if self.holds else 'MISSED'}  {self.subject}: {self.value} (promised: {self.promise})"


class FaultSkipped(Exception):
    """Raised when a fault cannot be made on this machine. The message says what is missing."""


@dataclass(frozen=True)
class Fault:
    """A fault and the function that makes it.

    Args:
        name: the name for `--only`, for example `redis-stall`.
        title: the fault in words, for the report.
        run: makes the fault in an empty folder and returns its figures. The second argument is True for the short version, which CI
            runs: it has fewer repetitions or shorter times, and the same promises.
        order: faults are run in this order.
    """

    name: str
    title: str
    run: Callable[[Path, bool], Awaitable[list[Figure]]]
    order: int


def all_faults() -> Mapping[str, Fault]:
    """Return all faults by name, in their order.

    Raises:
        ValueError: two modules define a fault of the same name.
    """
    found: dict[str, Fault] = {}
    modules = [importlib.import_module(f"{faults.__name__}.{each.name}") for each in pkgutil.iter_modules(faults.__path__)]
    for module in sorted(modules, key=lambda each: each.FAULT.order):
        fault: Fault = module.FAULT
        if fault.name in found:
            raise ValueError(f"Two faults have the name {fault.name!r}.")
        found[fault.name] = fault
    return found


def within(subject: str, seconds: float, limit: float, more: str = "") -> Figure:
    """Return the figure of a duration that must not be longer than `limit` seconds."""
    return Figure(subject, f"within {limit:g} s", f"{seconds:.2f} s{more}", seconds <= limit)


def none(subject: str, count: int, of: int) -> Figure:
    """Return the figure of something that must not happen at all, counted among `of` cases."""
    return Figure(subject, "none", f"{count} of {of:,}", count == 0)
