"""Publishing models, and asking a worker to publish one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from jobstore.models import _model_key
from jobstore.records import DESCRIBE, Result
from jobstore.store import JobStore
from schemas.errors import ModelLoadFailed, ModelTooLarge, NoWorkers, OutOfMemory, VisualizationError, WorkerCrashed
from schemas.health import WorkerStatus
from schemas.jobs import ErrorCode, JobError, Provenance, Timings
from schemas.models import InputSpec, ModelDescription, Preprocessing, PublishedModel, UnloadableModel
from tests.jobstore.samples import claim_one, submission
from tests.wait import until

STATUS = WorkerStatus(id="w1", device="CPU:0", started_at=datetime(2026, 11, 24, tzinfo=UTC), loaded_models=("tiny",), running=0)


NOTHING = Result(
    artifacts=(),
    facts="{}",
    warnings=(),
    timings=Timings(),
    provenance=Provenance(model_fingerprint="f1", precision="float32", device="CPU:0", versions={}),
)


def published(name: str = "tiny", digest: str = "d1") -> PublishedModel:
    description = ModelDescription(
        name=name,
        source="file",
        input=InputSpec(name="in", height=5, width=7, channels=3),
        preprocessing=Preprocessing.named("none"),
        classes=2,
        head="softmax",
        outputs=("out",),
        fingerprint="f1",
        parameters=12,
        default_layer=None,
        layers=(),
    )
    return PublishedModel(description=description, labels=("cat", "dog"), digest=digest)


async def test_a_published_model_belongs_to_one_digest(store: JobStore):
    assert await store.models.read("tiny", "d1") is None
    await store.models.publish(published())
    assert await store.models.read("tiny", "d1") == published()
    assert await store.models.read("tiny", "d2") is None
    assert await store.models.describe("tiny", "d1", 0) == published(), "a published model is returned without a worker"


async def test_a_failure_is_read_and_replaced_by_a_later_success(store: JobStore):
    failure = UnloadableModel(name="tiny", digest="d1", reason="The file is damaged.")
    await store.models.publish_failure(failure)
    await store.models.publish(published("other", "d7"))
    asked = [("tiny", "d1"), ("none", "d1"), ("other", "d7"), ("tiny", "d2")]
    assert await store.models.read_many(asked) == [failure, None, published("other", "d7"), None]
    assert await store.models.read("tiny", "d1") is None
    with pytest.raises(ModelLoadFailed, match="damaged"):
        await store.models.describe("tiny", "d1", 5)
    await store.models.publish_failure(failure.model_copy(update={"code": "model_too_large"}))
    with pytest.raises(ModelTooLarge, match="damaged"):
        await store.models.describe("tiny", "d1", 5)
    assert (await store.queue.depth()).lanes["fast"].queued == 0, "no worker is asked again"
    await store.models.publish(published())
    assert await store.models.read_many([("tiny", "d1")]) == [published()]
    assert await store.models.read_many([]) == []


async def test_describing_fails_at_once_if_no_worker_is_alive(store: JobStore):
    with pytest.raises(NoWorkers, match="No worker is alive"):
        await store.models.describe("tiny", "d1", 5)
    assert (await store.queue.depth()).lanes["fast"].queued == 0


async def test_callers_at_the_same_time_ask_once(store: JobStore):
    await store.workers.heartbeat(STATUS)
    asking = [asyncio.create_task(store.models.describe("tiny", "d1", 30)) for _ in range(10)]
    execution = await claim_one(store, block=10)
    assert (execution.method, execution.model, execution.lane, execution.priority) == (DESCRIBE, "tiny", "fast", "high")
    assert execution.model_digest == "d1"
    await until(lambda: _waiting(store, 10))
    assert await store.queue.claim("w2", "fast", 5, 0) == []
    await store.models.publish(published())
    await store.queue.complete(execution, NOTHING)
    assert await asyncio.gather(*asking) == [published()] * 10


async def _waiting(store: JobStore, count: int) -> bool:
    jobs, _ = await store.jobs.page("internal:models")
    return len(jobs) == count


@pytest.mark.parametrize(
    ("code", "kind"), [("model_load_failed", ModelLoadFailed), ("out_of_memory", OutOfMemory), ("worker_crashed", WorkerCrashed)]
)
async def test_the_error_of_the_internal_job_is_raised(store: JobStore, code: ErrorCode, kind: type[VisualizationError]):
    await store.workers.heartbeat(STATUS)
    for _ in range(2):
        asking = asyncio.create_task(store.models.describe("tiny", "d1", 30))
        execution = await claim_one(store, block=10)
        await store.queue.fail(execution, JobError(code=code, detail="the file is no model", retryable=True))
        with pytest.raises(kind, match="the file is no model"):
            await asking


async def test_a_late_answer_serves_the_next_caller(store: JobStore):
    await store.workers.heartbeat(STATUS)
    with pytest.raises(NoWorkers, match="busy"):
        await store.models.describe("tiny", "d1", 0.05)
    execution = await claim_one(store)
    await store.models.publish(published())
    await store.queue.complete(execution, NOTHING)
    assert await store.models.describe("tiny", "d1", 0) == published()


async def test_a_description_that_has_expired_is_made_again(make_store: Callable[..., JobStore]):
    store = make_store(description_ttl=1)
    await store.workers.heartbeat(STATUS)
    asking = asyncio.create_task(store.models.describe("tiny", "d1", 30))
    execution = await claim_one(store, block=10)
    await store.models.publish(published())
    await store.queue.complete(execution, NOTHING)
    await asking

    async def gone() -> bool:
        return await store.models.read_many([("tiny", "d1")]) == [None]

    await until(gone)
    asking = asyncio.create_task(store.models.describe("tiny", "d1", 30))
    assert (await claim_one(store, block=10)).method == DESCRIBE, "the result of the finished internal job is not used again"
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)


async def test_describing_is_not_held_up_by_a_full_queue(make_store: Callable[..., JobStore]):
    store = make_store(max_queued=1, max_queued_per_caller=1)
    await store.workers.heartbeat(STATUS)
    await store.jobs.submit(submission(1))
    for name in ("a", "b"):
        with pytest.raises(NoWorkers, match="busy"):
            await store.models.describe(name, "d1", 0.01)
    assert (await store.queue.depth()).lanes["fast"].queued == 3


async def test_no_caller_sees_internal_jobs(store: JobStore):
    await store.workers.heartbeat(STATUS)
    with pytest.raises(NoWorkers):
        await store.models.describe("tiny", "d1", 0.01)
    execution = await claim_one(store)
    assert await store.jobs.read(execution.key, "ann") is None


async def test_a_description_outlives_its_worker_and_lives_on_while_it_is_used(make_store: Callable[..., JobStore]):
    store = make_store(description_ttl=100)
    await store.workers.heartbeat(STATUS)
    await store.models.publish(published())
    await store.workers.forget(STATUS.id)
    name = _model_key("tiny", "d1")
    await store._connection.command("EXPIRE", name, 5)
    assert await store.models.describe("tiny", "d1", 0) == published()
    assert 95 < await store._connection.command("TTL", name) <= 100


async def test_a_worker_that_starts_in_time_describes_the_model(store: JobStore):
    asking = asyncio.create_task(store.models.describe("tiny", "d1", 30, 20))
    execution = await claim_one(store, block=10)
    assert not asking.done()
    await store.models.publish(published())
    await store.queue.complete(execution, NOTHING)
    assert await asking == published()


async def test_a_worker_that_starts_at_the_last_moment_is_given_the_time_to_load(store: JobStore):
    asking = asyncio.create_task(store.models.describe("tiny", "d1", 30, 0.3))
    execution = await claim_one(store, block=10)
    await store.workers.heartbeat(STATUS)
    await asyncio.sleep(0.5)
    assert not asking.done()
    await store.models.publish(published())
    await store.queue.complete(execution, NOTHING)
    assert await asking == published()


async def test_the_wait_for_a_worker_ends(store: JobStore):
    with pytest.raises(NoWorkers, match=r"None has started within 0\.2 s"):
        await store.models.describe("tiny", "d1", 30, 0.2)


async def test_a_worker_that_starts_withdraws_what_its_settings_may_have_changed(store: JobStore):
    own = published("own")
    own = own.model_copy(update={"description": own.description.model_copy(update={"custom_objects": ("frogs.layers:Croak",)})})
    for model in (published("plain"), own):
        await store.models.publish(model)
    await store.models.publish_failure(UnloadableModel(name="refused", digest="d1", reason="It names the class 'Croak'."))
    await store.models.publish_failure(UnloadableModel(name="refused", digest="d2", reason="It names the class 'Croak'."))
    await store.models.withdraw_outdated([("plain", "d1"), ("own", "d1"), ("refused", "d1"), ("unknown", "d1")])
    found = await store.models.read_many([("plain", "d1"), ("own", "d1"), ("refused", "d1"), ("refused", "d2")])
    assert found[:3] == [published("plain"), None, None]
    assert found[3] is not None
    await store.models.withdraw_outdated([])
