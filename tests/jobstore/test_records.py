"""A job's record: from the fields that Redis holds to the JSON that callers get."""

from __future__ import annotations

import json

from jobstore.records import JobRecord
from schemas.jobs import InlineArray, JobBase

ID = "01K5YQZ7T8Y1W4V9N3M2XQJ6RD"
QUEUED = {
    "id": ID,
    "owner_key": "ann",
    "request_id": "request-1",
    "method": "predict",
    "model": "tiny",
    "lane": "fast",
    "priority": "normal",
    "params": '{"top":5}',
    "state": "queued",
    "queue_position": "0",
    "cached": "0",
    "execution_id": ID,
    "created_at": "1764170000123",
    "expires_at": "1764256400123",
    "sequence": "1",
}
SUCCEEDED = QUEUED | {
    "state": "succeeded",
    "attempts": "2",
    "started_at": "1764170000623",
    "finished_at": "1764170001000",
    "progress": '{"step":3,"total":10,"value":0.5}',
    "files": "1a2b-01JDZ5Y3V8W0QK4M2T9R6X1B7C 9f86-01JDZ5Y3V8W0QK4M2T9R6X1B7D",
    "outcome": '{"timings":{"queued":7,"decode":1,"device":2,"render":3},"facts":{"label":"Ägyptische Katze"},'
    '"warnings":["the map is zero"],'
    '"artifacts":[{"name":"a map","kind":"array","shape":[3,5],"dtype":"float32","sha256":"9f86","size":60,"primary":false}]}',
}


def test_json_has_the_fields_of_the_contract_and_no_others():
    shown = json.loads(JobRecord.from_redis(QUEUED, "ann").model_dump_json())
    assert list(shown) == list(JobBase.model_fields)
    assert (shown["created_at"], shown["expires_at"]) == ("2025-11-26T15:13:20.123000Z", "2025-11-27T15:13:20.123000Z")
    assert (shown["params"], shown["queue_position"], shown["cached"], shown["attempts"]) == ({"top": 5}, 0, False, 0)
    assert shown["timings"] == {"queued": None, "decode": None, "device": None, "render": None}
    assert [name for name, value in shown.items() if value is None] == [
        "progress", "started_at", "finished_at", "facts", "provenance", "error",
    ]  # fmt: skip
    assert (shown["warnings"], shown["artifacts"]) == ([], [])


def test_what_only_the_store_needs_is_kept_but_not_shown():
    record = JobRecord.from_redis(QUEUED, "ann smith")
    assert (record.owner, record.lane, record.request_id) == ("ann smith", "fast", "request-1")


def test_a_succeeded_job_shows_its_result():
    record = JobRecord.from_redis(SUCCEEDED, "ann")
    assert record.facts == {"label": "Ägyptische Katze"}
    assert record.warnings == ("the map is zero",)
    assert record.progress is not None
    assert (record.progress.step, record.progress.total, record.progress.value) == (3, 10, 0.5)
    [artifact] = record.artifacts
    assert (artifact.name, artifact.shape, artifact.size) == ("a map", (3, 5), 60)
    assert record.file_of("9f86") == "9f86-01JDZ5Y3V8W0QK4M2T9R6X1B7D"
    assert record.file_of("0000") is None
    assert artifact.url == f"/v1/jobs/{ID}/artifacts/a%20map"


def test_the_time_in_the_queue_is_the_jobs_own_and_not_that_of_the_shared_execution():
    assert JobRecord.from_redis(SUCCEEDED, "ann").timings.queued == 500
    joined_late = SUCCEEDED | {"created_at": "1764170000900"}
    assert JobRecord.from_redis(joined_late, "ann").timings.queued == 0


def test_arrays_can_stand_in_the_artifacts():
    record = JobRecord.from_redis(SUCCEEDED, "ann")
    array = InlineArray(dtype="float32", shape=(1,), base64="AACAPw==")
    assert record.artifacts[0].data is None
    assert record.with_arrays({"a map": array, "another": array}).artifacts[0].data == array
    assert record.with_arrays({}).artifacts[0].data is None
