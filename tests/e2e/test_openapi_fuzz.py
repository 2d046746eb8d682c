"""Schemathesis sends generated requests to every operation of the OpenAPI document, and checks that the answers are as documented."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import FailureGroup

from jobstore.store import JobStore
from schemas.access import ApiKeyRequest
from schemas.methods import METHODS
from service.settings import ServiceSettings
from tests.schemas.tiny import description
from tests.service.fake_worker import FakeWorker, catalog_of
from tests.service.test_server import served

EXAMPLES, WRONG_EXAMPLES = 5, 3  # requests of each operation that fit the document, and that do not
# No job ends here, so the service must not wait for one.
SHORT_WAITS = {"DEFAULT_WAIT": "0.05", "MAX_WAIT": "0.05", "DESCRIBE_WAIT": "0.05", "MAX_QUEUED": "100000"}
QUIET = {"LOG_LEVEL": "warning", "LOG_FORMAT": "json"}
# The document cannot say whether well-formed parameters are accepted: that depends on the model, its layers and what exists.
LEFT_OUT = ("positive_data_acceptance",)
# A service that is not ready, and a job that has not finished in time, are no faults.
DELIBERATE = (503, 504)
# A batch is accepted although some of its items are wrong: these fail alone.
ACCEPTS_WRONG_ITEMS = ("POST /v1/batches",)


@pytest.fixture
async def url(store: JobStore, store_settings: Any, tmp_path: Any) -> AsyncIterator[str]:
    shared = store_settings.model_dump(exclude={"models_file"})
    own = ServiceSettings(**shared, models_file=tmp_path / "models.toml")
    await FakeWorker(store, catalog_of(own.models_file, own.models_dir)).publish(description("efficientnet_lite0"))
    variables = {f"CONVSCOPE_{name}": value for name, value in (SHORT_WAITS | QUIET).items()}
    async with served(
        own,
        subprocess.DEVNULL,
        **variables,
        CONVSCOPE_AUTH="required",
        CONVSCOPE_MODEL_UPLOADS="true",
        CONVSCOPE_MAX_SUBMISSIONS_PER_MINUTE="0",
        CONVSCOPE_MAX_READS_PER_MINUTE="0",
    ) as (_, address):
        yield address


@pytest.mark.slow
@pytest.mark.e2e
@pytest.mark.timeout(600)
async def test_every_answer_is_documented(url: str, store: JobStore) -> None:
    key = await store.api_keys.add(ApiKeyRequest(owner="fuzz", scopes=("admin",)))
    failures = await asyncio.to_thread(failures_of, url, key.key)
    assert not failures, "\n\n".join(failures)


def failures_of(url: str, key: str) -> list[str]:
    """Return what is wrong with the answers of each operation, in words. Requests that fit the document and others are sent."""
    schema: Any = schemathesis.openapi.from_url(f"{url}/openapi.json", timeout=120)
    load_all_checks()
    checks = [check for check in CHECKS.get_all() if check.__name__ not in LEFT_OUT]
    # Generated requests may hold one of these headers, so that both are set.
    with_key = {"X-API-Key": key, "Authorization": f"Bearer {key}"}
    failures: list[str] = []
    tried: list[str] = []
    for result in schema.get_all_operations():
        operation = result.ok()
        try:
            held = [check for check in checks if operation.label not in ACCEPTS_WRONG_ITEMS or check.__name__ != "negative_data_rejection"]
            _check(operation.as_strategy(), EXAMPLES, held, with_key)
            with suppress(Unsatisfiable):  # an operation without parameters has no wrong ones
                _check(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE), WRONG_EXAMPLES, held, with_key)
        except (Exception, FailureGroup) as error:  # all operations are tried before the test fails
            failures.append(f"{operation.label}: {error} {[str(each) for each in getattr(error, 'exceptions', ())]}")
        tried.append(operation.label)
    assert len(tried) > len(METHODS) + 20, tried
    return failures


def _check(cases: Any, count: int, checks: list[Any], headers: dict[str, str]) -> None:
    deliberate = [check for check in checks if check.__name__ != "not_a_server_error"]

    @seed(0)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    @given(case=cases)
    def check(case: Any) -> None:
        answer = case.call(headers=headers, timeout=60)
        case.validate_response(answer, checks=deliberate if answer.status_code in DELIBERATE else checks)

    check()
