from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError
from redis.retry import Retry

from processes.embedded_redis import EmbeddedRedis
from processes.redis_address import running_redis_url
from processes.redis_program import EmbeddedRedisError
from tests.wait import wait_until

OWNER = """
import sys
from pathlib import Path
from processes.embedded_redis import EmbeddedRedis
server = EmbeddedRedis.start(Path(sys.argv[1]))
print(server.pid, server.url, flush=True)
sys.stdin.read()
"""


def start_owner(data_dir: Path) -> tuple[subprocess.Popen[str], int, str]:
    """Start a process that owns a server on `data_dir`. Return the process, the server's pid and its URL."""
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(data_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    pid, url = owner.stdout.readline().split()
    return owner, int(pid), url


def end(owner: subprocess.Popen[str]) -> None:
    owner.kill()
    owner.wait()
    for pipe in (owner.stdin, owner.stdout):
        assert pipe is not None
        pipe.close()


def test_a_restarted_server_has_its_data_and_its_address_again(tmp_path: Path):
    with EmbeddedRedis.start(tmp_path) as server, Redis.from_url(server.url) as redis:
        redis.set("kept", "yes")
        first = server.url
        assert server.running
    assert not server.running
    server.stop()
    with EmbeddedRedis.start(tmp_path) as server, Redis.from_url(server.url) as redis:
        assert server.url == first
        assert redis.get("kept") == b"yes"


def test_accepted_writes_survive_a_kill_with_appendfsync_always(tmp_path: Path):
    server = EmbeddedRedis.start(tmp_path, appendfsync="always")
    with Redis.from_url(server.url) as redis:
        redis.set("kept", "yes")
        server.kill()
    with EmbeddedRedis.start(tmp_path) as server, Redis.from_url(server.url) as redis:
        assert redis.get("kept") == b"yes"


def test_a_full_server_refuses_writes_and_evicts_nothing(tmp_path: Path):
    with EmbeddedRedis.start(tmp_path, max_memory=10**7) as server, Redis.from_url(server.url) as redis:
        settings = redis.config_get("*")
        assert (settings["maxmemory"], settings["maxmemory-policy"]) == ("10000000", "noeviction")
        assert (settings["appendonly"], settings["appendfsync"]) == ("yes", "everysec")


def test_it_listens_on_loopback_and_asks_for_the_password(tmp_path: Path):
    with EmbeddedRedis.start(tmp_path) as server:
        port = Redis.from_url(server.url).get_connection_kwargs()["port"]
        with Redis(port=port, retry=Retry(NoBackoff(), 0)) as stranger, pytest.raises(AuthenticationError):
            stranger.ping()
        listening = {entry.laddr.ip for entry in psutil.Process(server.pid).net_connections() if entry.status == psutil.CONN_LISTEN}
        assert listening == {"127.0.0.1"}
        for name in ("address", "redis.conf"):
            assert stat.S_IMODE((tmp_path / "redis" / name).stat().st_mode) == 0o600


def test_a_worker_finds_the_running_server(tmp_path: Path):
    assert running_redis_url(tmp_path) is None
    with EmbeddedRedis.start(tmp_path) as server:
        assert running_redis_url(tmp_path) == server.url
    assert running_redis_url(tmp_path) is None


def test_a_server_on_another_folder_is_not_taken_for_ours(tmp_path: Path):
    with EmbeddedRedis.start(tmp_path / "other") as other:
        (tmp_path / "mine" / "redis").mkdir(parents=True)
        (tmp_path / "mine" / "redis" / "address").write_text(other.url)
        assert running_redis_url(tmp_path / "mine") is None
        with EmbeddedRedis.start(tmp_path / "mine") as mine:
            assert mine.url != other.url
            assert other.running


def test_a_folder_in_use_is_refused(tmp_path: Path):
    with EmbeddedRedis.start(tmp_path) as server:
        with pytest.raises(EmbeddedRedisError, match="Another convscope"):
            EmbeddedRedis.start(tmp_path)
        assert server.running


def test_a_port_in_use_is_refused_where_it_was_asked_for(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(EmbeddedRedisError, match="is taken"):
            EmbeddedRedis.start(tmp_path, port=taken.getsockname()[1])
    with EmbeddedRedis.start(tmp_path):
        pass


def test_another_port_is_taken_if_the_last_one_is_in_use(tmp_path: Path):
    with EmbeddedRedis.start(tmp_path) as server:
        first = server.url
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", Redis.from_url(first).get_connection_kwargs()["port"]))
        taken.listen()
        with EmbeddedRedis.start(tmp_path) as server:
            assert server.url != first


@pytest.mark.faults
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a death signal")
def test_a_server_ends_with_its_owner(tmp_path: Path):
    owner, pid, _ = start_owner(tmp_path)
    end(owner)
    wait_until(lambda: not psutil.pid_exists(pid))
    with EmbeddedRedis.start(tmp_path):
        pass


@pytest.mark.faults
def test_a_server_whose_owner_died_is_ended_and_its_data_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as patch:
        patch.setattr("processes.parent_death.sys.platform", "elsewhere")  # on this system the kernel does not end the server
        orphan = EmbeddedRedis.start(tmp_path)
    orphan._lock.close()  # the lock is free, as after the death of the owner
    with Redis.from_url(orphan.url) as redis:
        redis.set("kept", "yes")
    with EmbeddedRedis.start(tmp_path) as server, Redis.from_url(server.url) as redis:
        wait_until(lambda: orphan._process.how_it_ended() == "exit status 0")
        assert server.pid != orphan.pid
        assert redis.get("kept") == b"yes"


def test_ctrl_c_in_the_terminal_does_not_reach_the_server(tmp_path: Path):
    with EmbeddedRedis.start(tmp_path) as server:
        assert os.getpgid(server.pid) != os.getpgid(0)


@pytest.mark.faults
def test_a_server_that_does_not_start_says_why(tmp_path: Path):
    with EmbeddedRedis.start(tmp_path):
        pass
    [log] = (tmp_path / "redis" / "appendonlydir").glob("*.manifest")
    log.write_text("this is no manifest\n")
    with pytest.raises(EmbeddedRedisError, match=r"ended \(exit status 1\)\. .*[Mm]anifest"):
        EmbeddedRedis.start(tmp_path)
