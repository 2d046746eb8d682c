"""A run waits long for a service that is busy, and not so long for one that is gone."""

from __future__ import annotations

import httpx
import pytest

from convscope import CallerLimitError, UnavailableError
from convscope.cli.patience import RunPatience


def test_a_busy_service_is_waited_for_as_long_as_it_says_when_to_come_again() -> None:
    patience = RunPatience()
    busy = CallerLimitError({"code": "rate_limited", "retryable": True}, retry_after=2.0)
    delay = patience.delay(500, busy, 3000.0)
    assert delay is not None
    assert 2 <= delay <= 3
    assert patience.delay(500, busy, 3599.0) is None
    assert patience.delay(1, CallerLimitError({"code": "rate_limited", "retryable": False}, retry_after=2.0), 0.0) is None


@pytest.mark.parametrize("error", [httpx.ConnectError("gone"), UnavailableError({"code": "no_workers", "retryable": True})])
def test_other_failures_are_repeated_a_few_times(error: Exception) -> None:
    assert RunPatience().delay(11, error, 0.0) is not None
    assert RunPatience().delay(12, error, 0.0) is None
