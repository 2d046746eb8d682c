"""Define the explanation of an error."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.errors import VisualizationError


@dataclass(frozen=True)
class ErrorCause:
    """Why an error happens and what its reader can do.

    Attributes:
        example: an error of this kind, as a caller may get it. Its class gives the code, the title, and whether to retry.
        cause: sentences that say why it happens.
        remedy: sentences that say what the caller, or the operator, can do.
    """

    example: VisualizationError
    cause: str
    remedy: str
