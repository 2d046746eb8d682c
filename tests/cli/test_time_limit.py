from __future__ import annotations

import signal

import pytest

from cli.failure import CommandFailed
from cli.time_limit import time_limit


def test_a_block_that_takes_too_long_is_given_up() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(CommandFailed, match="Waiting did not end within 1 s"), time_limit(1, "Waiting"):
        signal.pause()
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.alarm(0) == 0
