"""`convscope doctor` on real servers: a Redis Cluster, Sentinels, and TLS."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.doctor_redis import redis_findings
from cli.finding import Finding
from jobstore.redis_address import read_address
from processes.embedded_redis import EmbeddedRedis
from tests.redis_servers import ClusterServers, SentinelServers
from tests.tls_proxy import make_certificate, tls_proxy
from tests.wait import until


async def findings_of(url: str) -> list[Finding]:
    return await redis_findings(read_address(url), "CONVSCOPE_REDIS_URL")


def levels_of(findings: list[Finding], subject: str) -> list[str]:
    return [finding.level for finding in findings if finding.subject == subject]


async def test_a_server_behind_tls_is_examined_and_a_strange_certificate_refused(redis_server: EmbeddedRedis, tmp_path: Path) -> None:
    address = read_address(redis_server.url)
    certificate = make_certificate(tmp_path)
    async with tls_proxy(certificate, address.hosts[0][1]) as port:
        trusted = f"rediss://:{address.credentials['password']}@127.0.0.1:{port}/0?ssl_ca_certs={certificate / 'cert.pem'}"
        (good,) = await findings_of(trusted)
        (bad,) = await findings_of(trusted.partition("?")[0])
    assert (good.level, bad.level) == ("ok", "missing")
    assert f"127.0.0.1:{port} (CONVSCOPE_REDIS_URL)" in good.text
    assert "noeviction" in good.text
    assert "CERTIFICATE_VERIFY_FAILED" in bad.text
    assert address.credentials["password"] not in good.text + bad.text


async def test_a_wrong_password_is_said(redis_server: EmbeddedRedis) -> None:
    port = read_address(redis_server.url).hosts[0][1]
    (finding,) = await findings_of(f"redis://:secret@127.0.0.1:{port}/0")
    assert finding.level == "missing"
    assert "invalid username-password pair" in finding.text
    assert "secret" not in finding.text


@pytest.mark.slow
async def test_every_node_of_a_cluster_is_examined(tmp_path: Path) -> None:
    with ClusterServers(tmp_path, replicas=1) as cluster:
        for server in (*cluster.masters, *cluster.replicas):
            server.ask("CONFIG", "SET", "appendonly", "yes")
        cluster.masters[1].ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        findings = await findings_of(cluster.url)
        assert levels_of(findings, "Cluster") == ["ok"]
        assert "6 nodes, 16384 of 16384 slots assigned, state ok" in findings[0].text
        lines = {finding.text.split(", ")[1]: finding for finding in findings if finding.subject == "Redis"}
        assert {line: finding.level for line, finding in lines.items()} == {
            f"127.0.0.1:{server.port}": "note" if server is cluster.masters[1] else "ok" for server in (*cluster.masters, *cluster.replicas)
        }
        assert "set maxmemory-policy noeviction" in lines[f"127.0.0.1:{cluster.masters[1].port}"].text
        assert sum(", replica," in finding.text for finding in lines.values()) == 3

        cluster.replicas[0].kill()
        findings = await findings_of(cluster.url)
        (silent,) = [finding for finding in findings if "does not answer" in finding.text]
        assert (silent.level, f"127.0.0.1:{cluster.replicas[0].port}, replica" in silent.text) == ("note", True)

        cluster.masters[0].kill()  # its only replica is dead, so its slots have no node

        async def noticed() -> bool:
            return "missing" in levels_of(await findings_of(cluster.url), "Cluster")

        await until(noticed, 20)
        findings = await findings_of(cluster.url)
        assert any(
            each.level == "missing" and f"127.0.0.1:{cluster.masters[0].port}, master does not answer" in each.text for each in findings
        )


@pytest.mark.slow
async def test_sentinels_and_what_they_watch_are_examined(tmp_path: Path) -> None:
    with SentinelServers(tmp_path) as servers:
        for server in (servers.master, servers.replica):
            server.ask("CONFIG", "SET", "appendonly", "yes")
        findings = await findings_of(servers.url)
        assert levels_of(findings, "Sentinel") == ["ok", "ok", "ok"]
        assert levels_of(findings, "Redis") == ["ok", "ok"]
        assert f"127.0.0.1:{servers.master.port}, master of 'mymaster' (CONVSCOPE_REDIS_URL)" in findings[3].text
        assert f"127.0.0.1:{servers.replica.port}, replica" in findings[4].text

        servers.sentinels[0].kill()
        assert levels_of(await findings_of(servers.url), "Sentinel") == ["ok", "ok", "note"]
        wrong = await findings_of(servers.url.replace("mymaster", "ourmaster"))
        assert levels_of(wrong, "Sentinel") == ["missing", "missing", "missing"]
        assert "watches no server named 'ourmaster'" in wrong[0].text
