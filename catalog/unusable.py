"""A model that the operator wants to have but that cannot be used, with the reason."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from schemas.models import ModelSourceName


class UnusableModel(BaseModel):
    """A model of the settings or of the models folder that has a fault. It is listed with its reason, and all other models work."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="The name as the operator wrote it. It need not be a valid model name.")
    source: ModelSourceName = Field(description="This source found the model.")
    title: str = Field(description="People read this title: the file's name or the table's name.")
    reason: str = Field(description="Sentences that name the file or the table, and say what is wrong with it.")


def printable(text: str) -> str:
    """Return a file name as valid Unicode: bytes that are not UTF-8 are written as `\\xe9`."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
