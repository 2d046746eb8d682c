"""Write how an execution has ended as one JSON text, which Redis keeps beside the execution's record."""

from __future__ import annotations

import json

from jobstore.records import Result
from schemas.artifacts import DeferredPicture
from schemas.jobs import JobError


def success_outcome(result: Result) -> str:
    """Return the outcome of a succeeded execution. Its names are those of `JobRecord`."""
    deferred = [each for each in result.artifacts if isinstance(each, DeferredPicture)]
    texts = {
        "artifacts": _array([each.description.stored for each in result.artifacts]),
        "drawings": _object({each.description.name: each.drawing for each in deferred}),
        "facts": result.facts,
        "warnings": json.dumps(result.warnings, ensure_ascii=False),
        "timings": result.timings.model_dump_json(),
        "provenance": result.provenance.model_dump_json(),
    }
    return _object(texts)


def failure_outcome(error: JobError) -> str:
    """Return the outcome of a failed execution."""
    return _object({"error": error.model_dump_json()})


def _array(texts: list[str]) -> str:
    return f"[{','.join(texts)}]"


def _object(texts: dict[str, str]) -> str:
    return f"{{{','.join(f'{json.dumps(name)}:{text}' for name, text in texts.items())}}}"
