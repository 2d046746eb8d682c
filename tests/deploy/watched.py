"""The expressions of the alerts and of the dashboard in deploy/."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text("utf-8"))["groups"][0]["rules"]
DASHBOARD = json.loads((DEPLOY / "grafana" / "dashboards" / "convscope.json").read_text("utf-8"))


def expressions() -> Iterator[str]:
    """Yield every expression that Prometheus evaluates for an alert or a panel."""
    yield from (rule["expr"] for rule in RULES)
    yield from (target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"])


def metric_names(expression: str) -> list[str]:
    """Return the names of our samples in an expression."""
    return re.findall(r"\bconvscope_[a-z_]+", expression)
