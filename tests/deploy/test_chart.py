"""The chart as Helm renders it. The command `helm` renders it, or else the package helm-python-sdk, if either is installed.

`make check-chart` runs these tests in an environment that has the packages.
"""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

CHART = Path(__file__).parents[2] / "deploy" / "helm" / "convscope"
pytestmark = pytest.mark.skipif(
    shutil.which("helm") is None and importlib.util.find_spec("helm_python") is None, reason="neither helm nor helm-python-sdk is installed"
)
UPLOADS = "models.uploads.enabled=true"


def rendered(*values: str) -> list[dict[str, Any]]:
    """Return the documents of the chart with some values, each given as `name=value`."""
    if shutil.which("helm") is None:
        chart = importlib.import_module("helm_python").Chart.load(CHART)
        text = "\n---\n".join(chart.render(_nested(values), name="demo").values())
    else:
        options = [part for value in values for part in ("--set", value)]
        ended = subprocess.run(["helm", "template", "demo", CHART, *options], capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
        text = ended.stdout
    return [document for document in yaml.safe_load_all(text) if isinstance(document, dict)]


def _nested(values: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in values:
        path, value = each.split("=")
        *outer, last = path.split(".")
        inner = found
        for name in outer:
            inner = inner.setdefault(name, {})
        inner[last] = yaml.safe_load(value)
    return found


def pods(documents: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the specification of the pods of each deployment by its name."""
    return {each["metadata"]["name"]: each["spec"]["template"]["spec"] for each in documents if each["kind"] == "Deployment"}


def models_of(pod: dict[str, Any]) -> tuple[Any, Any]:
    """Return the claim with the models, and where it is mounted, of a pod; None for what there is not."""
    (container,) = pod["containers"]
    (mount,) = [each for each in container["volumeMounts"] if each["name"] == "models"] or [None]
    (volume,) = [each["persistentVolumeClaim"] for each in pod["volumes"] if each["name"] == "models"] or [None]
    return volume, mount


def environment_of(pod: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each.get("value", "") for each in pod["containers"][0]["env"]}


def test_helm_lint_finds_nothing_wrong() -> None:
    if shutil.which("helm") is None:
        report = importlib.import_module("helm_python").lint(CHART, strict=True)
        information = 1
        assert (report["errors"], [each for each in report["messages"] if each["severity"] > information]) == ([], [])
    else:
        ended = subprocess.run(["helm", "lint", "--strict", CHART], capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stdout


@pytest.mark.parametrize(
    "values",
    [
        (),
        ("autoscaling.enabled=true", "workers.gpu.enabled=true"),
        ("monitoring.enabled=true", "api.ingress.enabled=true"),
        (UPLOADS, "files.url=s3://bucket/convscope"),
        ("models.existingClaim=mine", "redis.url=redis://elsewhere:6379/0"),
    ],
)
def test_kubernetes_knows_every_field(values: tuple[str, ...]) -> None:
    """The schemas are those of Kubernetes itself. Custom resources (ScaledObject, PodMonitor) have none there."""
    validate = pytest.importorskip("kubernetes_validate")
    checked = []
    for document in rendered(*values):
        if document["kind"] not in ("ScaledObject", "PodMonitor"):
            validate.validate(document, validate.latest_version(), strict=True)
            checked.append(document["kind"])
    assert {"Deployment", "Service", "NetworkPolicy"} <= set(checked)


@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        ((), {"Deployment", "StatefulSet", "Service", "PersistentVolumeClaim", "NetworkPolicy", "PodDisruptionBudget"}),
        (("autoscaling.enabled=true", "workers.gpu.enabled=true"), {"ScaledObject"}),
        (("monitoring.enabled=true", "api.ingress.enabled=true"), {"PodMonitor", "Ingress"}),
    ],
)
def test_the_chart_renders(values: tuple[str, ...], kinds: set[str]) -> None:
    assert kinds <= {document["kind"] for document in rendered(*values)}


def test_models_are_read_only_without_uploads() -> None:
    assert models_of(pods(rendered())["demo-api"]) == (None, None)
    for pod in pods(rendered("models.existingClaim=mine")).values():
        volume, mount = models_of(pod)
        assert volume == {"claimName": "mine", "readOnly": True}
        assert mount == {"name": "models", "mountPath": "/models", "readOnly": True}
        assert "CONVSCOPE_MODEL_UPLOADS" not in environment_of(pod)


@pytest.mark.parametrize(("values", "claim"), [((), "demo-models"), (("models.existingClaim=mine",), "mine")])
def test_with_uploads_the_service_writes_where_the_workers_read(values: tuple[str, ...], claim: str) -> None:
    found = pods(rendered(UPLOADS, "workers.gpu.enabled=true", *values))
    for name in ("demo-api", "demo-worker-cpu", "demo-worker-gpu"):
        volume, mount = models_of(found[name])
        assert volume == {"claimName": claim}
        assert mount == {"name": "models", "mountPath": "/models"} | ({} if name == "demo-api" else {"readOnly": True})
    assert environment_of(found["demo-api"])["CONVSCOPE_MODEL_UPLOADS"] == "true"


def test_the_chart_makes_the_volume_of_uploads_with_its_access_mode() -> None:
    options = ("models.uploads.accessMode=ReadWriteOnce", "models.uploads.storage=3Gi", "models.uploads.storageClass=fast")
    made = {each["metadata"]["name"]: each["spec"] for each in rendered(UPLOADS, *options) if each["kind"] == "PersistentVolumeClaim"}
    expected = {"accessModes": ["ReadWriteOnce"], "storageClassName": "fast", "resources": {"requests": {"storage": "3Gi"}}}
    assert made["demo-models"] == expected
    claims = [each for each in rendered(UPLOADS) if each["metadata"]["name"] == "demo-models"]
    assert [each["spec"]["accessModes"] for each in claims] == [["ReadWriteMany"]]
    for values in ((), (UPLOADS, "models.existingClaim=mine")):
        assert "demo-models" not in {each["metadata"]["name"] for each in rendered(*values)}
