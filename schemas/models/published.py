"""Describe a loaded model as a worker publishes it: the description and the labels of its classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from schemas.errors import InvalidParameters, ModelLoadFailed, ModelTooLarge, UnknownClass
from schemas.models.descriptions import ModelDescription, OutputHead
from schemas.models.immutable import ImmutableSchema
from schemas.models.inputs import ModelInput
from schemas.models.preprocessing import Preprocessing
from schemas.nearest_names import names_containing, nearest_hint, nearest_names


class ClassLabel(ImmutableSchema):
    """One class of a model's output."""

    class_index: int = Field(description="The position of the class in the output, counted from 0.")
    label: str | None = Field(description="The name of the class. It is null if the model has no labels.")


class UnloadableModel(ImmutableSchema):
    """The reason why a model cannot be loaded, as the worker that tried last publishes it in Redis for the service."""

    name: str
    digest: str = Field(description="The digest of the catalogue entry for which this is valid.")
    reason: str = Field(description="These sentences say why the model cannot be loaded.")
    code: Literal["model_load_failed", "model_too_large"] = Field(default="model_load_failed", description="The code of the error.")

    def as_exception(self) -> ModelLoadFailed | ModelTooLarge:
        """Return the error that a request for this model gets."""
        return (ModelTooLarge if self.code == ModelTooLarge.code else ModelLoadFailed)(self.reason)


class PublishedModel(ImmutableSchema):
    """A model's description and labels, as a worker publishes them in Redis for the service."""

    description: ModelDescription
    labels: tuple[str, ...] = Field(description="One label per class of the first output, in order. It is empty if there are no labels.")
    digest: str = Field(description="The digest of the catalogue entry for which this is valid.")

    def labels_of(self, output: str | None) -> tuple[str, ...]:
        """Return the labels of an output (None means the first). Outputs other than the first have none."""
        return self.labels if output is None or self.description.outputs[:1] == (output,) else ()

    def label_of(self, class_index: int, output: str | None = None) -> str | None:
        """Return the label of a class of an output (None means the first), or None if the class has no label."""
        labels = self.labels_of(output)
        return labels[class_index] if class_index < len(labels) else None

    def with_targets(self, names: Sequence[str]) -> PublishedModel:
        """Return this model with targets in place of the first output's classes. Their names are the labels, and the head is `none`."""
        description = self.description.model_copy(update={"classes": len(names), "head": "none"})
        return self.model_copy(update={"description": description, "labels": tuple(names)})

    def seen_from(self, name: str, preprocessing: Preprocessing | None = None) -> PublishedModel:
        """Return this model with the image input `name` in place of the one that takes the photo.

        Args:
            preprocessing: how that input is made from images. None stands for the preprocessing that the input has by itself.

        Raises:
            InvalidParameters: the model has no such input, or the input takes no images.
        """
        description, pointer = self.description, "/params/input"
        if not description.inputs and name == description.input.name:
            return self
        seen = description.input_at(name, pointer)
        if not seen.takes_images:
            images = ", ".join(each.name for each in description.inputs if each.takes_images)
            raise InvalidParameters(
                f"Input '{name}' of model '{description.name}' takes {seen.shape_text}, which is no image. "
                f"Inputs that take images: {images}.",
                pointer=pointer,
                allowed=images,
                got=name,
            )
        changes: dict[str, object] = {"preprocessing": preprocessing or seen.preprocessing or description.preprocessing}
        if name != description.input.name:
            changes |= {"input": seen.image_spec, "default_layer": seen.default_layer}
            changes["heads"] = tuple(self._head_seen_from(head, seen) for head in description.heads)
        return self.model_copy(update={"description": description.model_copy(update=changes)})

    def _head_seen_from(self, head: OutputHead, seen: ModelInput) -> OutputHead:
        layer = next((each for each in self.description.layers if each.path == head.default_layer), None)
        suits = layer is None or not layer.inputs or seen.name in layer.inputs
        return head if suits else head.model_copy(update={"default_layer": seen.default_layer})

    def class_index_of(
        self, value: int | str, pointer: str = "/params/class_index", output: str | None = None, *, dense: bool = False
    ) -> int:
        """Return the class index that `value` names, for an output of the model (None means the first output).

        `value` is an index or a label. A label matches in any case, and one of its comma-separated synonyms suffices.
        `pointer` says where the value stands in the request. With `dense`, the output has classes at each position.

        Raises:
            UnknownClass: there is no such index or label, or several classes share the label.
        """
        head = self.description.head_at(output)
        classes = head.dense_classes if dense else head.classes
        if classes is None:
            raise UnknownClass(f"Model '{self.description.name}' has no class output.", pointer=pointer, got=str(value))
        if isinstance(value, str):
            return self._index_of_label(value, self.labels_of(output), pointer)
        if not 0 <= value < classes:
            raise UnknownClass(
                f"Model '{self.description.name}' has {classes} classes: class_index must be 0 to {classes - 1}, got {value}.",
                pointer=pointer,
                allowed=f"0 to {classes - 1}",
                got=str(value),
            )
        return value

    def _index_of_label(self, label: str, labels: Sequence[str], pointer: str) -> int:
        found = _classes_with_label(label, labels)
        if len(found) == 1:
            return found[0]
        if found:
            shared = ", ".join(f"{index} ({labels[index]})" for index in found)
            raise UnknownClass(f"Label '{label}' names several classes: {shared}. Give the index.", pointer=pointer, got=label)
        name = self.description.name
        if not labels:
            raise UnknownClass(f"Model '{name}' has no labels. Give class_index as a number.", pointer=pointer, got=label)
        nearest = tuple(dict.fromkeys((*names_containing(label, labels), *nearest_names(label, labels))))
        raise UnknownClass(
            f"Model '{name}' has no class labelled '{label}'.{nearest_hint(nearest)} Search /v1/models/{name}/labels?q=…",
            pointer=pointer,
            got=label,
            nearest=nearest,
        )


def _classes_with_label(label: str, labels: Sequence[str]) -> list[int]:
    """Return the classes whose whole label is `label`; if there are none, those that have it as a synonym."""
    wanted = label.strip().casefold()
    whole = [index for index, own in enumerate(labels) if wanted == own.casefold()]
    return whole or [index for index, own in enumerate(labels) if wanted in (synonym.strip().casefold() for synonym in own.split(","))]
