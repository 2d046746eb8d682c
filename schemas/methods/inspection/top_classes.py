"""What all methods share that answer with the model's top classes."""

from __future__ import annotations

from pydantic import Field

from schemas.errors import InvalidParameters
from schemas.methods.target_class import OutputParams
from schemas.models import PublishedModel


class TopClassesParams(OutputParams):
    """Parameters of a method that names the top classes of an output."""

    top: int = Field(default=5, ge=1, le=100, description="How many classes to name; never more than the model has.")

    def resolve_top(self, model: PublishedModel) -> int:
        """Raises `InvalidParameters` where the output has no classes."""
        head = model.description.head_at(self.output)
        if head.classes is None:
            which = "" if self.output is None else f" '{self.output}'"
            raise InvalidParameters(f"Model '{model.description.name}' has no class output{which}.", pointer="/model")
        return min(self.top, head.classes)
