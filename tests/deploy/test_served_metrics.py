"""Each metric of the alerts and of the dashboard is there in a convscope that runs, and has the value of what has happened."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from schemas.webhooks import WebhookRequest
from tests.deploy.watched import expressions, metric_names
from tests.faults.served_stack import Samples, ServedStack
from tests.wait import until
from tests.workers.jobs import OWNER, resolved
from tests.workers.tiny import photo

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.timeout(400)]
_CAMS, _PREDICTIONS, _REFUSED = 4, 3, 2


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[ServedStack]:
    """A convscope whose stored files have little room, so that results give way, and which tries each webhook once."""
    stack = ServedStack(tmp_path, webhooks=True, webhook_failures=1, max_stored_bytes=700_000)
    try:
        stack.start_workers()
        await stack.ready()
        yield stack
    finally:
        await stack.close()


async def test_each_metric_that_is_watched_has_the_value_of_what_has_happened(stack: ServedStack) -> None:
    await _run_jobs(stack)
    service, worker = await stack.service_metrics(), await stack.worker_metrics()
    names = {name for expression in expressions() for name in metric_names(expression)}
    assert names - {name for name, _ in service | worker} == set()

    submitted = "convscope_jobs_submitted_total"
    assert _sum(service, submitted, method="grad_cam", model="tiny") == _CAMS + 1  # one of them was asked for twice
    assert _sum(service, submitted, method="predict", model="tiny") == _PREDICTIONS
    assert _sum(service, "convscope_job_cache_hits_total") == 1
    assert _sum(service, "convscope_http_requests_total", status="422") == _REFUSED + 1
    answered = _sum(service, "convscope_http_requests_total", method="POST")
    assert answered == _CAMS + 1 + _PREDICTIONS + _REFUSED + 1  # the last one is the job that fails
    assert _sum(service, "convscope_http_request_seconds_bucket", method="POST", le="+Inf") == answered
    assert _sum(service, "convscope_drawing_seconds_bucket", le="+Inf") == 1
    assert _sum(service, "convscope_webhooks_total", outcome="given_up") == 1
    assert _sum(service, "convscope_evictions", kind="result", reason="bytes") > 0
    assert _sum(service, "convscope_jobs") == _sum(service, "convscope_queue_oldest_seconds") == 0  # all have ended
    assert _sum(service, "convscope_workers") == _sum(service, "convscope_broker_up") == 1

    ended = "convscope_executions_total"
    assert _sum(worker, ended, method="grad_cam", state="succeeded") == _CAMS
    assert _sum(worker, ended, method="predict", state="succeeded") == _PREDICTIONS + 1  # one has a webhook
    assert _sum(worker, ended, method="saliency", state="failed") == 1
    assert _sum(worker, "convscope_executions_running") == 0
    assert _sum(worker, "convscope_batch_size_sum", method="grad_cam") == _CAMS
    assert 1 <= _sum(worker, "convscope_batch_size_count", method="grad_cam") <= _CAMS
    calls = _sum(worker, "convscope_device_seconds_bucket", method="grad_cam", le="+Inf")
    assert calls == _sum(worker, "convscope_batch_size_count", method="grad_cam")
    assert 0 < _sum(worker, "convscope_device_seconds_sum", method="grad_cam") < 60 * calls
    assert _sum(worker, "convscope_decode_seconds_bucket", le="+Inf") >= _CAMS + _PREDICTIONS
    assert _sum(worker, "convscope_render_seconds_bucket", method="grad_cam", le="+Inf") == _CAMS
    assert _sum(worker, "convscope_loaded_models") == 1
    assert 1 <= _sum(worker, "convscope_traces") < 100


async def _run_jobs(stack: ServedStack) -> None:
    """Run jobs, one of them twice. Fetch a picture that is drawn then, be refused, let a job fail, and ask for a webhook."""
    for number in range(_CAMS):
        await _call(stack, "grad_cam", photo(number, 160, 160))
    job = (await _call(stack, "grad_cam", photo(_CAMS - 1, 160, 160), accept="application/json")).json()
    (heatmap,) = (each for each in job["artifacts"] if each["name"] == "heatmap")
    (await stack.client.get(heatmap["url"])).raise_for_status()
    for number in range(_PREDICTIONS):
        await _call(stack, "predict", photo(100 + number, 160, 160))
    for _ in range(_REFUSED):
        await _call(stack, "grad_cam", photo(0), status=422, layer="no_such_layer")
    await _call(stack, "saliency", photo(200, 160, 160)[:5000], status=422)  # the header is whole, so the worker finds the fault
    await _end_with_webhook(stack)


async def _end_with_webhook(stack: ServedStack) -> None:
    """Run a job with a webhook to an address of this machine, which is refused when the webhook is sent."""
    record = (await stack.store.jobs.submit(resolved("predict", await stack.model(), photo(300)))).job
    await stack.store.webhooks.register(OWNER, "job", record.id, WebhookRequest(url="https://localhost/hook"))
    await stack.ended([record.id])

    async def given_up() -> bool:
        return _sum(await stack.service_metrics(), "convscope_webhooks_total", outcome="given_up") == 1

    await until(given_up, 60)


async def _call(stack: ServedStack, method: str, image: bytes, *, accept: str = "image/png", status: int = 200, **fields: str) -> Any:
    headers = {"Accept": accept, "Prefer": "wait=60"}
    files = {"image": ("photo.png", image)}
    answer = await stack.client.post(f"/v1/{method}", data={"model": "tiny", **fields}, files=files, headers=headers)
    assert answer.status_code == status, answer.text
    return answer


def _sum(samples: Samples, name: str, **labels: str) -> float:
    """Return the sum of all samples of this name that have these labels."""
    return sum(value for (other, pairs), value in samples.items() if other == name and labels.items() <= dict(pairs).items())
