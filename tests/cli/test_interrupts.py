from __future__ import annotations

import signal

import pytest

from cli.failure import CommandFailed
from cli.interrupts import Interrupts


def test_interrupts_are_counted_and_then_left_as_they_were() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Interrupts() as interrupts:
        assert not interrupts.hurry()
        signal.raise_signal(signal.SIGTERM)
        assert interrupts.count == 1
        assert not interrupts.hurry()
        signal.raise_signal(signal.SIGINT)
        assert interrupts.hurry()
    assert signal.getsignal(signal.SIGTERM) is before


def test_an_interrupt_raises_once_where_it_is_asked_to() -> None:
    with Interrupts() as interrupts:
        with pytest.raises(CommandFailed, match="was interrupted"), interrupts.raising():
            signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        assert interrupts.count == 2
