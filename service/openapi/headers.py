"""Describe the headers of answers, and describe each problem once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from service.job_remarks import WARNING
from service.problems import PROBLEM_MEDIA_TYPE
from service.request_context import REQUEST_ID

_TEXT = {"type": "string"}
_SECONDS = {"type": "integer", "minimum": 0}
_HEADERS: dict[str, tuple[str, dict[str, Any]]] = {
    REQUEST_ID: ("The id of the request, which the service's log has, too.", _TEXT),
    "RateLimit": ("How many requests of this kind are left, and for how long. It is absent if requests are not limited.", _TEXT),
    "RateLimit-Policy": ("How many requests of each kind a caller may send within which time (IETF draft).", _TEXT),
    "Retry-After": ("The number of seconds after which the caller should come again.", _SECONDS),
    "WWW-Authenticate": ("How to send a key (RFC 6750).", _TEXT),
    "Location": ("The address of the job, the batch or the model.", _TEXT),
    "Preference-Applied": ("The preference that was followed, for example `wait=30`. It is absent if the request has none.", _TEXT),
    "ETag": ("The strong validator of this representation.", _TEXT),
    "Cache-Control": ("How long the answer may be kept. Its content never changes.", _TEXT),
    "Vary": ("The headers of the request on which the answer depends.", _TEXT),
    "Content-Disposition": ("A name for the file.", _TEXT),
    WARNING: ("A sentence that a reader of the picture should know, percent-encoded. There is one header for each warning.", _TEXT),
}
_OF_JOBS = {"200": ("Location", "Preference-Applied"), "202": ("Location", "Preference-Applied", "Retry-After")}
_OF_PICTURES = ("Location", "Preference-Applied", "Vary", "Content-Disposition", WARNING)
_OF_FILES = {"200": ("ETag", "Cache-Control", "Vary", "Content-Disposition"), "304": ("ETag", "Cache-Control", "Vary")}
_BY_OPERATION: dict[str, dict[str, tuple[str, ...]]] = {
    "submit_job": _OF_JOBS,
    "submit_batch": {"202": ("Location", "Retry-After")},
    "upload_model": {"200": ("Location",), "201": ("Location",)},
    "get_artifact": _OF_FILES,
    "get_image": _OF_FILES,
    "list_methods": {"200": ("Vary",)},
}
_BY_PROBLEM = {"401": ("WWW-Authenticate",), "403": ("WWW-Authenticate",), "429": ("Retry-After",), "503": ("Retry-After",)}
_NOT_FINISHED = ("Location", "Preference-Applied", "Retry-After")


def describe_headers(document: dict[str, Any]) -> None:
    """Add the headers of every answer to the document. Answers that are the same problem refer to one description.

    Raises:
        RuntimeError: a problem of one status is described in two ways.
    """
    document["components"]["headers"] = {
        name: {"description": description, "schema": schema} for name, (description, schema) in _HEADERS.items()
    }
    problems: dict[str, Any] = document["components"].setdefault("responses", {})
    for path in document["paths"].values():
        for operation in path.values():
            for status, answer in operation["responses"].items():
                is_problem = PROBLEM_MEDIA_TYPE in answer.get("content", {})
                answer["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in _names(operation, status, is_problem)}
                if is_problem and operation["security"]:
                    if problems.setdefault(f"Problem{status}", answer) != answer:
                        raise RuntimeError(f"problems with the status {status} are described in two ways: {operation['operationId']}")
                    operation["responses"][status] = {"$ref": f"#/components/responses/Problem{status}"}


def _names(operation: dict[str, Any], status: str, is_problem: bool) -> Iterator[str]:
    """Yield the names of the headers that an answer can have."""
    yield REQUEST_ID
    if operation["security"]:
        yield from ("RateLimit", "RateLimit-Policy")
    if is_problem:
        yield from _BY_PROBLEM.get(status, ())
    if not operation["operationId"].startswith("run_"):
        yield from _BY_OPERATION.get(operation["operationId"], {}).get(status, ())
    elif status == "504":
        yield from _NOT_FINISHED
    elif status == "200" and "application/json" not in operation["responses"]["200"]["content"]:
        yield from _OF_PICTURES
    else:
        yield from _OF_JOBS.get(status, ())
        if status == "200":
            yield "Vary"
