"""An item of a batch between its request and its job: one line of JSON in a stored file of the batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue
from pydantic_core import from_json, to_json

from schemas.problem import Problem

Fields = dict[str, JsonValue]


@dataclass(frozen=True)
class StoredItem:
    """An item, or the defaults of a batch.

    Attributes:
        custom_id: the name that the caller gave the item.
        fields: the submission's own fields, without an image that is stored.
        image: the id of the stored image, if the item has one of its own.
        problem: why the item is wrong, if that was found before it became a submission.
    """

    custom_id: str | None
    fields: Fields
    image: str | None = None
    problem: Problem | None = None

    def to_line(self) -> bytes:
        """Return the item as one line of JSON."""
        problem = None if self.problem is None else self.problem.model_dump(exclude_none=True)
        kept = {"custom_id": self.custom_id, "fields": self.fields, "image": self.image, "problem": problem}
        return to_json(kept) + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> StoredItem:
        """Return the item that `to_line` has written."""
        kept: dict[str, Any] = from_json(line)
        problem = kept.pop("problem")
        return cls(**kept, problem=None if problem is None else Problem.model_validate(problem))


NO_DEFAULTS = StoredItem(None, {})


def submission_of(item: StoredItem, defaults: StoredItem) -> bytes:
    """Return the submission that an item asks for, as JSON: the defaults with the item's own fields laid over.

    `fit` can stand in a submission and in its parameters. The item's own counts, wherever the item and the defaults have it.
    """
    fields: Fields = {"priority": "low", **defaults.fields, **item.fields}
    if "params" in defaults.fields:
        fields["params"] = _params(item.fields, defaults.fields)
    if "fit" not in item.fields and "fit" in _object(item.fields.get("params")):
        fields.pop("fit", None)
    image = item.image if item.image is not None or "image" in item.fields else defaults.image
    if image is not None:
        fields["image"] = {"id": image}
    return to_json(fields)


def _params(own: Fields, defaults: Fields) -> JsonValue:
    """Return the item's parameters laid over those of the defaults, unless the item has another method."""
    shared, params = defaults["params"], own.get("params")
    if "fit" in own and isinstance(shared, dict):
        shared = {name: value for name, value in shared.items() if name != "fit"}
    if "method" in own and own["method"] != defaults.get("method"):
        return own.get("params", {})
    if params is None:
        return shared
    return {**shared, **params} if isinstance(shared, dict) and isinstance(params, dict) else params


def _object(value: JsonValue) -> Fields:
    return value if isinstance(value, dict) else {}
