"""Describe a job by its state, and its artifacts by the names that its method gives them.

The pydantic model of a job has one class for each method, in which `facts` may be null, because one record holds a job in every state.
A client that knows the state knows more: a job that has succeeded has facts, and a job that has failed has an error.
"""

from __future__ import annotations

import re
from typing import Any

from schemas.method_types import class_title
from schemas.methods import METHODS
from schemas.methods.card import MethodCard

_PLACE = re.compile(r"\{[a-z]+\}")  # what stands for a layer or a number in a name
_NULL: dict[str, Any] = {"type": "null"}
_BY_STATE = ("state", "facts", "artifacts", "provenance", "finished_at", "error")
_NO_ARTIFACTS: dict[str, Any] = {"type": "array", "items": {"$ref": "#/components/schemas/Artifact"}, "maxItems": 0}
_WITHOUT_RESULT = {"facts": _NULL, "provenance": _NULL, "artifacts": _NO_ARTIFACTS}
_SUMMARIES = {
    "UnfinishedJob": "A job that waits or runs.",
    "FailedJob": "A job that has ended with an error.",
    "StoppedJob": "A job that was canceled, or whose results are gone.",
}


def split_jobs(schemas: dict[str, Any]) -> None:
    """Replace the schema of each method's job by one that depends on the state. Add the schemas that this needs.

    `JobFields` has the fields that do not depend on the state. `UnfinishedJob`, `FailedJob` and `StoppedJob` have those of jobs without a
    result. For each method, there are `<Method>Result` and `<Method>Artifact`.
    """
    whole: dict[str, Any] = schemas[f"{class_title(next(iter(METHODS)))}Job"]
    common = {name: field for name, field in whole["properties"].items() if name not in (*_BY_STATE, "method", "params")}
    schemas["JobFields"] = _object("The fields that every job has in every state.", common)
    time = {"type": "string", "format": "date-time"}
    ended = whole["properties"]["finished_at"] | {"description": "The time when the job ended."}
    states: dict[str, dict[str, Any]] = {
        "UnfinishedJob": {"state": _states("queued", "running"), **_WITHOUT_RESULT, "finished_at": _NULL, "error": _NULL},
        "FailedJob": {
            "state": _states("failed"),
            **_WITHOUT_RESULT,
            "finished_at": time,
            "error": {"$ref": "#/components/schemas/JobError"},
        },
        "StoppedJob": {"state": _states("canceled", "expired"), **_WITHOUT_RESULT, "finished_at": ended, "error": _NULL},
    }
    for name, fields in states.items():
        schemas[name] = _object(_SUMMARIES[name], fields)
    for method, params in METHODS.items():
        title = class_title(method)
        job = schemas[f"{title}Job"]
        schemas[f"{title}Artifact"] = _artifact(schemas["Artifact"], params.card)
        facts = next(each for each in job["properties"]["facts"]["anyOf"] if each != _NULL)
        schemas[f"{title}Result"] = _object(
            f"What a {params.card.title} job has when it has succeeded.",
            {
                "state": _states("succeeded"),
                "facts": facts,
                "artifacts": {"type": "array", "items": {"$ref": f"#/components/schemas/{title}Artifact"}},
                "provenance": {"$ref": "#/components/schemas/Provenance"},
                "finished_at": time,
                "error": _NULL,
            },
        )
        own = {name: job["properties"][name] for name in ("method", "params")}
        schemas[f"{title}Job"] = {
            "description": job["description"],
            "allOf": [
                {"$ref": "#/components/schemas/JobFields"},
                {"type": "object", "properties": own, "required": list(own)},
                {"oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in (f"{title}Result", *states)]},
            ],
        }


def _states(*states: str) -> dict[str, Any]:
    return {"type": "string", "enum": [*states], "description": "The state of the job."}


def _object(description: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "description": description, "properties": properties, "required": list(properties)}


def _artifact(artifact: dict[str, Any], card: MethodCard) -> dict[str, Any]:
    """Return the schema of an artifact of one method, whose name and kind are among those that the method makes."""
    kind = artifact["properties"]["kind"] | {"enum": list(dict.fromkeys(spec.kind for spec in card.artifacts))}
    properties = artifact["properties"] | {"name": _names(card, artifact["properties"]["name"]["description"]), "kind": kind}
    return artifact | {"title": f"{class_title(card.name)}Artifact", "properties": properties}


def _names(card: MethodCard, description: str) -> dict[str, Any]:
    """Return the schema of the names: an enumeration, and a pattern for each name with a layer, a channel or the like in it."""
    fixed = [spec.name for spec in card.artifacts if "{" not in spec.name]
    patterns = [f"^{_PLACE.sub('.+', spec.name.replace('.', '[.]'))}$" for spec in card.artifacts if "{" in spec.name]
    if not patterns:
        return {"type": "string", "enum": fixed, "description": description}
    enumerated: list[dict[str, Any]] = [{"type": "string", "enum": fixed}] if fixed else []
    return {"anyOf": [*enumerated, *({"type": "string", "pattern": each} for each in patterns)], "description": description}
