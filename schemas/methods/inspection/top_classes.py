"""The parameter of methods that return the model's top classes."""

from __future__ import annotations

from pydantic import Field

from schemas.errors import InvalidParameters
from schemas.methods.target_class import OutputParams
from schemas.models import PublishedModel


class TopClassesParams(OutputParams):
    """Parameters of a method that names the top classes of an output."""

    top: int = Field(
        default=5, ge=1, le=100, description="This is the number of classes to return. If the model has fewer classes, all are returned."
    )

    def resolve_top(self, model: PublishedModel) -> int:
        """Return the number of classes to return, at most the number of classes of the output.

        Raises:
            InvalidParameters: The output has no classes.
        """
        head = model.description.head_at(self.output)
        if head.classes is None:
            which = "" if self.output is None else f" '{self.output}'"
            raise InvalidParameters(f"Model '{model.description.name}' has no class output{which}.", pointer="/model")
        return min(self.top, head.classes)
