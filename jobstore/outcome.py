"""Write how an execution has ended as one JSON text.

Redis keeps a short outcome beside the execution's record. A long one, for example with the statistics of a thousand channels, is a stored
file like the artifacts, and Redis keeps the sha256 of its content. So what a job takes in Redis does not grow with what was found.
"""

from __future__ import annotations

import json

from pydantic_core import from_json

from jobstore.records import Result
from schemas.artifacts import DeferredPicture
from schemas.jobs import JobError

LONGEST_IN_REDIS = 3 * 1024  # bytes; with all its other keys, a job then takes less than 6 KB
_FILE = '{"outcome_file":'


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


def outcome_in_file(sha256: str) -> str:
    """Return what Redis keeps in place of an outcome that is a stored file."""
    return f'{_FILE}"{sha256}"}}'


def file_of_outcome(kept: str) -> str | None:
    """Return the sha256 of the file that holds the outcome, or None if `kept`, which Redis keeps, is the outcome itself."""
    return str(from_json(kept)["outcome_file"]) if kept.startswith(_FILE) else None


def lost_outcome(warning: str) -> str:
    """Return an outcome that holds nothing but a warning, for a job whose outcome cannot be read."""
    return _object({"warnings": json.dumps([warning])})


def _array(texts: list[str]) -> str:
    return f"[{','.join(texts)}]"


def _object(texts: dict[str, str]) -> str:
    return f"{{{','.join(f'{json.dumps(name)}:{text}' for name, text in texts.items())}}}"
