"""The embedded Redis is started again with its address and its data, but not for ever."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from redis import Redis

from cli.failure import CommandFailed
from cli.kept_redis import MOST_RESTARTS, KeptRedis
from tests.wait import wait_until

pytestmark = pytest.mark.faults


def _kill(kept: KeptRedis) -> None:
    with Redis.from_url(kept.url) as redis:
        os.kill(int(redis.info("server")["process_id"]), signal.SIGKILL)
    wait_until(lambda: not kept.running)


def test_a_dead_server_comes_back_with_its_address_and_its_data_until_it_has_died_too_often(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = KeptRedis(tmp_path, appendfsync="always", max_memory=0)
    try:
        url = kept.url
        for number in range(MOST_RESTARTS):
            with Redis.from_url(url) as redis:
                redis.set(f"key{number}", number, ex=60)
            _kill(kept)
            kept.check()
            assert kept.url == url
            with Redis.from_url(url) as redis:
                assert [redis.get(f"key{each}") for each in range(number + 1)] == [str(each).encode() for each in range(number + 1)]
        assert capsys.readouterr().err.count("convscope starts it again") == MOST_RESTARTS
        _kill(kept)
        with pytest.raises(CommandFailed, match=f"Redis ended by itself {MOST_RESTARTS + 1} times within 10 minutes"):
            kept.check()
    finally:
        kept.stop()
