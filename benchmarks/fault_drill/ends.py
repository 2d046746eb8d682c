"""Follow jobs to their ends, and check that each has exactly one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from benchmarks.fault_drill.registry import Figure, none
from jobstore.records import JobRecord
from jobstore.store import JobStore
from schemas.jobs import JobState


async def ended_jobs(store: JobStore, job_ids: Sequence[str], owner: str = "ann", seconds: float = 300) -> list[JobRecord]:
    """Wait until all jobs have ended, and return them. A job that does not end is returned as it is."""
    records: list[JobRecord] = []
    for job_id in job_ids:
        record = await store.jobs.wait(job_id, owner, seconds)
        assert record is not None, f"Job {job_id} is gone."
        records.append(record)
    return records


async def figures_of_ends(store: JobStore, records: Sequence[JobRecord], expected: JobState = JobState.SUCCEEDED) -> list[Figure]:
    """Return two figures: how many jobs did not end as `expected`, and how many have not exactly one visible end."""
    doubled = 0
    for record in records:
        if record.state.ended:
            kinds = [event.type async for event in store.jobs.events(record.id, record.owner) if event is not None]
            doubled += kinds.count("done") != 1
    wrong = Counter(str(record.error.code if record.error else record.state) for record in records if record.state is not expected)
    lost = none("jobs that were lost", wrong.total(), len(records))
    if wrong:
        lost = Figure(lost.subject, lost.promise, f"{lost.value} {dict(wrong)}", lost.holds)
    return [lost, none("jobs with more than one visible end", doubled, len(records))]
