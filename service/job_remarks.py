"""Say in a picture that is answered alone what the job would say: its warnings, and how the picture was made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import quote

from fastapi import Response

from jobstore.records import JobRecord
from rendering.png_file import with_text
from service.version import service_version

WARNING = "Convscope-Warning"
_PRINTABLE = " !\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~"  # ASCII that a header may hold, without the percent sign
_LONGEST = 1000  # characters of one header


def add_remarks(answer: Response, job: JobRecord) -> None:
    """Add a `Convscope-Warning` header for each warning of the job. Add text chunks if the answer is a PNG.

    What is not printable ASCII in a warning is percent-encoded in the header.
    """
    for warning in job.warnings:
        answer.headers.append(WARNING, quote(warning, safe=_PRINTABLE)[:_LONGEST])
    if answer.media_type == "image/png":
        answer.body = with_text(bytes(answer.body), [*_facts(job), *(("Warning", warning) for warning in job.warnings)])
        answer.headers["Content-Length"] = str(len(answer.body))


def _facts(job: JobRecord) -> Iterable[tuple[str, str]]:
    facts = job.facts or {}
    found = {"Method": job.method, "Model": job.model, "Layer": facts.get("layer"), "Class": _class_of(facts), "Job": job.id}
    yield "Software", f"convscope {service_version()}"
    for name, value in found.items():
        if isinstance(value, str) and value:
            yield name, value


def _class_of(facts: Mapping[str, object]) -> str | None:
    index, label = facts.get("class_index"), facts.get("label")
    if not isinstance(index, int):
        return None
    return f"{index} ({label})" if label else str(index)
