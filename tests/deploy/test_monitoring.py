"""The dashboard and the alerts read metrics that the service and the workers really have."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import defaultdict

import pytest
import yaml
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from jobstore.records import LaneDepth, QueueDepth
from service.metrics import Metrics
from tests.deploy.watched import DASHBOARD, DEPLOY, RULES, expressions, metric_names
from workers.execution.metrics import WorkerMetrics

ADDED_BY_PROMETHEUS = {"job", "instance"}


@pytest.fixture(scope="module")
def known() -> dict[str, set[str]]:
    """Return the labels of each sample of the metrics of a service and a worker in which everything has happened once."""
    service, worker = Metrics(), WorkerMetrics()
    service.count_answer("/v1/grad_cam", "POST", 200, 0.1)
    service.count_job("grad_cam", "vgg16", cached=True)
    service.count_drawing("grad_cam", 0.1)
    service.count_webhook("delivered")
    worker.ended("succeeded", "grad_cam", "vgg16")
    worker.device_call("grad_cam", 1, 0.1)
    worker.decoded(0.1)
    worker.rendered("grad_cam", 0.1)
    worker.watch_models(lambda: 1, lambda: 1)
    depth = QueueDepth({"fast": LaneDepth(queued=1, running=1, oldest=1.0)})
    found: dict[str, set[str]] = defaultdict(set)
    for text in (service.render(depth, (), {("result", "quota"): 1}), generate_latest(worker.registry)):
        for family in text_string_to_metric_families(text.decode()):
            for sample in family.samples:
                found[sample.name] |= set(sample.labels)
    return found


def test_every_metric_and_label_of_dashboard_and_alerts_exists(known: dict[str, set[str]]) -> None:
    seen = set()
    for expression in expressions():
        names = metric_names(expression)
        labels = {label for names in re.findall(r"(?:by|without) \(([^)]*)\)", expression) for label in names.split(", ")}
        labels |= set(re.findall(r"[{,]\s*([a-z_]+)(?:=|=~|!=)\"", expression))
        seen |= set(names)
        assert set(names) <= set(known), expression
        if names:
            assert labels <= set().union(*(known[name] for name in names)) | ADDED_BY_PROMETHEUS, expression
    helpers = ("_created", "_count", "_sum", "_bucket")
    assert {name for name in known if not name.endswith(helpers)} <= seen, "each metric is shown or watched somewhere"


def test_the_document_says_what_each_alert_means() -> None:
    text = (DEPLOY.parent / "docs" / "operating.md").read_text("utf-8")
    for rule in RULES:
        assert f"| `{rule['alert']}` |" in text
        assert rule["labels"]["severity"] in ("critical", "warning", "info")


def test_each_alert_is_tried_where_it_is_silent_and_where_it_is_raised() -> None:
    silent, raised, *_ = yaml.safe_load((DEPLOY / "prometheus" / "alerts.test.yml").read_text("utf-8"))["tests"]
    alerts = {rule["alert"] for rule in RULES}
    assert {case["alertname"] for case in silent["alert_rule_test"] if "exp_alerts" not in case} == alerts
    assert {case["alertname"] for case in raised["alert_rule_test"] if case.get("exp_alerts")} == alerts


def test_panels_lie_side_by_side_and_not_upon_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool, of the Debian package prometheus, is not installed")
@pytest.mark.parametrize(
    "arguments", [("check", "config", "prometheus.yml"), ("check", "rules", "alerts.yml"), ("test", "rules", "alerts.test.yml")]
)
def test_promtool_finds_nothing_wrong(arguments: tuple[str, str, str]) -> None:
    *command, file = arguments
    ended = subprocess.run(["promtool", *command, DEPLOY / "prometheus" / file], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
