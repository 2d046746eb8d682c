"""How `filters` and `filter_atlas` synthesise images, whatever these are to excite."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pydantic import Field

from schemas.errors import InvalidParameters, LimitExceeded
from schemas.limits import MethodLimits
from schemas.methods.precision import PrecisionParams
from schemas.methods.synthesis.map_sizes import fixed_size
from schemas.methods.synthesis.presets import PRESETS, FilterPreset, Parametrised, Regularisers, Transforms
from schemas.models import PublishedModel


class AscentParams(PrecisionParams):
    """Parameters of a method that synthesises square images by gradient ascent."""

    preset: FilterPreset = Field(default="lucid", description="Fixes whatever is null below; named after its source.")
    parametrisation: Parametrised | None = Field(
        default=None,
        description="What is moved: pixels; or (presets `lucid` and `maco`) a spectrum with decorrelated colour, or its phases alone, "
        "magnitudes being a photo's.",
    )
    size: int | None = Field(
        default=None, ge=16, description="Side of the image, pixels; null: the preset's, or the model's own where the target needs that."
    )
    steps: int | None = Field(default=None, ge=1, description="Steps of gradient ascent.")
    learning_rate: float | None = Field(
        default=None,
        gt=0,
        description="In units of the spectrum (`fourier`), radians (`phase`), or those of the preset's image (`pixel`): 0-1, 0-255 or "
        "-1 to 1.",
    )
    transforms: Transforms | None = Field(default=None, description="Random changes of the image before each step.")
    regularisers: Regularisers | None = Field(default=None, description="Penalties and blur.")
    columns: int | None = Field(default=None, ge=1, le=64, description="Tiles in a row of the grid; null: about as many as rows.")
    seed: int = Field(default=0, ge=0, lt=2**31)

    def by_preset(self, model: PublishedModel, paths: Collection[str | None], *, alone: bool = False) -> dict[str, Any]:
        """What is null, as the preset has it, and the size that goes with targets `paths` (None: the class output). `alone`: of one
        channel the preset may have a size of its own.

        Raises:
            InvalidParameters: a target needs another size.
        """
        numbers = PRESETS[self.preset]
        names = ("parametrisation", "steps", "learning_rate", "transforms", "regularisers", "columns")
        missing = {name: getattr(numbers, name) for name in names if getattr(self, name) is None}
        size = self.size or (alone and numbers.size_alone) or numbers.size
        transforms = self.transforms or numbers.transforms
        if transforms.crop is None:
            return missing | {"size": self._needed(model, paths, self.size, "/params/size") or size}
        given = self.transforms.view if self.transforms else None
        view = self._needed(model, paths, given, "/params/transforms/view") or transforms.view or size
        return missing | {"size": size, "transforms": transforms.model_copy(update={"view": view})}

    def check_ascent(self, limits: MethodLimits) -> None:
        """Of complete parameters. Raises `InvalidParameters` for what does not go together, `LimitExceeded`."""
        numbers, size, steps = PRESETS[self.preset], self.size or 0, self.steps or 0
        if self.parametrisation != "pixel" and numbers.parametrisation == "pixel":
            raise InvalidParameters(
                f"Preset '{self.preset}' is defined on pixels; with `{self.parametrisation}` use preset 'lucid' or 'maco'.",
                pointer="/params/parametrisation",
                allowed="pixel",
                got=self.parametrisation,
            )
        if self.parametrisation != "pixel" and self.regularisers and self.regularisers.blur:
            raise InvalidParameters(
                f"blur is of pixels: with parametrisation `{self.parametrisation}` leave it out.",
                pointer="/params/regularisers/blur",
                allowed="0",
                got=str(self.regularisers.blur),
            )
        if size <= 2 * numbers.crop:
            raise InvalidParameters(
                f"Preset '{self.preset}' cuts {numbers.crop} pixels off each border: size must be more than {2 * numbers.crop}.",
                pointer="/params/size",
                allowed=f"more than {2 * numbers.crop}",
                got=str(self.size),
            )
        check_limit("size", size, limits.max_synthesis_size, "/params/size")
        check_limit("view", self.seen_side(), limits.max_synthesis_size, "/params/transforms/view")
        check_limit("steps", steps, limits.max_steps, "/params/steps")
        if self.transforms and self.transforms.jitter >= size:
            raise InvalidParameters(f"jitter must be smaller than the image ({size} px).", pointer="/params/transforms/jitter")

    def seen_side(self) -> int:
        """Of complete parameters: the side of what the model sees of an image."""
        return (self.transforms and self.transforms.view) or self.size or 0

    def _needed(self, model: PublishedModel, paths: Collection[str | None], given: int | None, pointer: str) -> int | None:
        """The model's own side where a target needs it. Raises `InvalidParameters` where another is `given`."""
        bound = {path: needed for path in paths if (needed := fixed_size(model.description, path)) is not None}
        if not bound:
            return None
        path, (height, width) = next(iter(bound.items()))
        if height != width or given not in (None, height):
            target = "The class score" if path is None else f"Layer '{path}'"
            square = "" if height == width else ", which is not square; synthesised images are"
            raise InvalidParameters(
                f"{target} of model '{model.description.name}' needs the model's own input size, {height}×{width}{square}: "
                "a flatten or reshape before it fixes the size.",
                pointer=pointer,
                allowed=f"{height}×{width}" if square else str(height),
                got=str(given),
            )
        return height


def check_limit(name: str, value: int, limit: int, pointer: str) -> None:
    """Raises `LimitExceeded`."""
    if value > limit:
        raise LimitExceeded(f"{name}: at most {limit:,}, got {value:,}.", pointer=pointer, allowed=f"at most {limit}", got=str(value))
