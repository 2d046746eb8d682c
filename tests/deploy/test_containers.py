"""The compose file and the chart start what exists, with settings that exist, and scale by a number that Redis really has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from cli.settings_table import setting_rows
from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from tests.jobstore.samples import claim_one, submission
from tests.redis_servers import open_redis

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "convscope"
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))


def settings() -> set[str]:
    return {row.variable for row in setting_rows()}


def test_the_settings_in_compose_and_chart_exist() -> None:
    texts = [(ROOT / "docker-compose.yml").read_text("utf-8"), *(file.read_text("utf-8") for file in CHART.rglob("*.*"))]
    named = {name for text in texts for name in re.findall(r"\bCONVSCOPE_[A-Z_]+\b", text)}
    assert len(named) > 5
    assert named <= settings()


def test_every_file_that_compose_mounts_exists_and_every_port_is_on_loopback() -> None:
    for service in COMPOSE["services"].values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            if source.startswith("./deploy"):
                assert (ROOT / source).is_dir()
            elif not source.startswith("."):
                assert source in COMPOSE["volumes"]
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
        if "build" in service:
            assert (ROOT / service["build"]["dockerfile"]).is_file()


async def test_the_lag_of_a_queue_is_the_number_of_jobs_that_wait_in_it(store: JobStore, store_settings: StoreSettings) -> None:
    """KEDA reads the lag of the group `workers` in the streams that the chart names."""
    template = (CHART / "templates" / "workers.yaml").read_text("utf-8")
    name, group = re.search(r'printf "(convscope:[^"]+)" \$shard', template), re.search(r"consumerGroup: (\w+)", template)
    assert name is not None
    assert group is not None
    stream = name[1] % (0, "fast", "normal")
    for number in range(3):
        await store.jobs.submit(submission(number))
    assert store_settings.redis_url is not None
    redis = open_redis(store_settings.redis_url)

    def lag() -> int:
        (found,) = [each for each in redis.xinfo_groups(stream) if each["name"] == group[1].encode()]
        return found["lag"]

    assert lag() == 3
    await claim_one(store, "worker")
    assert lag() == 2
    redis.close()


def test_values_and_templates_of_the_chart_name_the_same_things() -> None:
    """Each value that a template reads is in values.yaml."""
    values = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    for template in CHART.glob("templates/*"):
        for path in re.findall(r"\.Values((?:\.\w+)+)", template.read_text("utf-8")):
            found: Any = values
            for part in path.strip(".").split("."):
                assert part in found, f"{template.name} reads .Values{path}"
                found = found[part]
