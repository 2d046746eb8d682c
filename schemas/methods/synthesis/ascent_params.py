"""The parameters of gradient ascent, which `filters` and `filter_atlas` share."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pydantic import Field

from schemas.errors import InvalidParameters
from schemas.limits import MethodLimits
from schemas.methods.precision import PrecisionParams
from schemas.methods.synthesis.check_limit import check_limit
from schemas.methods.synthesis.parametrisations import ParametrisationName
from schemas.methods.synthesis.presets import PRESETS, FilterPreset
from schemas.methods.synthesis.regularisers import Regularisers
from schemas.methods.synthesis.required_input_size import required_input_size
from schemas.methods.synthesis.synthesis_size import SynthesisSize, sides_of, size_text
from schemas.methods.synthesis.transforms import Transforms
from schemas.models import PublishedModel


class AscentParams(PrecisionParams):
    """Parameters of a method that synthesises images by gradient ascent."""

    preset: FilterPreset = Field(
        default="lucid", description="The preset gives a value to each parameter below that is null. It is named after its source."
    )
    parametrisation: ParametrisationName | None = Field(
        default=None,
        description="This says what ascent changes: the pixels (`pixel`), a spectrum with decorrelated colours (`fourier`), or the phases "
        "of a spectrum whose magnitudes are those of photos (`phase`). `fourier` and `phase` need the preset `lucid` or `maco`. If it is "
        "null, the preset decides.",
    )
    size: SynthesisSize | None = Field(
        default=None,
        description="This is the side of a square image in pixels, or the image's (height, width). If it is null, it is the preset's, or "
        "the model's own input size if the target can be computed for no other.",
    )
    steps: int | None = Field(
        default=None, ge=1, description="This is the number of steps of gradient ascent. If it is null, the preset decides."
    )
    learning_rate: float | None = Field(
        default=None,
        gt=0,
        description="This is the factor of a step. Its unit is that of the spectrum for `fourier`, radians for `phase`, and for `pixel` "
        "that of the preset's image: 0-1 (`lucid`, `maco`), 0-255 (`dlwp1`, `keras_blog`) or -1 to 1 (`dlwp2`, `keras_io`). If it is "
        "null, the preset decides.",
    )
    transforms: Transforms | None = Field(
        default=None, description="These are random changes of the image before each step. If it is null, the preset decides."
    )
    regularisers: Regularisers | None = Field(
        default=None, description="These are penalties and a blur that keep the image smooth. If it is null, the preset decides."
    )
    columns: int | None = Field(
        default=None,
        ge=1,
        le=64,
        description="This is the number of tiles in a row of the grid. If it is null, the preset decides, or there are about as many "
        "columns as rows.",
    )
    seed: int = Field(
        default=0, ge=0, lt=2**31, description="This is the seed of the start and of the transforms. The same seed gives the same images."
    )

    def preset_values(self, model: PublishedModel, layers: Collection[str | None], *, one_channel: bool = False) -> dict[str, Any]:
        """Return the preset's values for the parameters that are null, and the sizes that the targets need.

        Args:
            model: The model to synthesise for.
            layers: The paths of the target layers. None stands for the class output.
            one_channel: True if one channel alone is asked for, for which a preset may have a size of its own.

        Raises:
            InvalidParameters: A target needs another size than the one given.
        """
        numbers = PRESETS[self.preset]
        names = ("parametrisation", "steps", "learning_rate", "transforms", "regularisers", "columns")
        missing = {name: getattr(numbers, name) for name in names if getattr(self, name) is None}
        size = self.size or (one_channel and numbers.size_alone) or numbers.size
        transforms = self.transforms or numbers.transforms
        if transforms.crop is None:
            return missing | {"size": _needed_size(model, layers, self.size, "/params/size") or size}
        given = self.transforms.view if self.transforms else None
        view = _needed_size(model, layers, given, "/params/transforms/view") or transforms.view or size
        if self.size is None and not isinstance(view, int):  # the image gets the view's aspect ratio
            size = (round(numbers.size * view[0] / max(view)), round(numbers.size * view[1] / max(view)))
        return missing | {"size": size, "transforms": transforms.model_copy(update={"view": view})}

    def check_ascent(self, limits: MethodLimits) -> None:
        """Check resolved parameters against each other and against the limits.

        Raises:
            InvalidParameters: Two of them exclude each other.
            LimitExceeded: The size, the view or the number of steps is too large.
        """
        numbers, sides, steps = PRESETS[self.preset], self.sides(), self.steps or 0
        self._check_parametrisation()
        if min(sides) <= 2 * numbers.crop:
            raise InvalidParameters(
                f"Preset '{self.preset}' cuts {numbers.crop} pixels off each border, so size must be more than {2 * numbers.crop}, but got "
                f"{size_text(sides)}.",
                pointer="/params/size",
                allowed=f"more than {2 * numbers.crop}",
                got=size_text(sides),
            )
        check_limit("size", max(sides), limits.max_synthesis_size, "/params/size")
        check_limit("view size", max(self.view_sides()), limits.max_synthesis_size, "/params/transforms/view")
        check_limit("number of steps", steps, limits.max_steps, "/params/steps")
        if self.transforms and self.transforms.jitter >= min(sides):
            raise InvalidParameters(
                f"jitter must be smaller than the image, which has {size_text(sides)} pixels, but got {self.transforms.jitter}.",
                pointer="/params/transforms/jitter",
            )

    def sides(self) -> tuple[int, int]:
        """Return height and width of an image in pixels. The parameters must be resolved."""
        return sides_of(self.size or 0)

    def view_sides(self) -> tuple[int, int]:
        """Return height and width in pixels of what the model sees of an image. The parameters must be resolved."""
        view = self.transforms and self.transforms.view
        return sides_of(view) if view else self.sides()

    def pixels(self) -> int:
        """Return the number of pixels of an image or of what the model sees of it, whichever is larger. The parameters must be resolved."""
        return max(height * width for height, width in (self.sides(), self.view_sides()))

    def _check_parametrisation(self) -> None:
        if self.parametrisation != "pixel" and PRESETS[self.preset].parametrisation == "pixel":
            raise InvalidParameters(
                f"Preset '{self.preset}' is defined on pixels. Use preset 'lucid' or 'maco' with the parametrisation "
                f"'{self.parametrisation}'.",
                pointer="/params/parametrisation",
                allowed="pixel",
                got=self.parametrisation,
            )
        if self.parametrisation != "pixel" and self.regularisers and self.regularisers.blur:
            raise InvalidParameters(
                f"blur works on pixels only. Leave it out with the parametrisation '{self.parametrisation}'.",
                pointer="/params/regularisers/blur",
                allowed="0",
                got=str(self.regularisers.blur),
            )


def _needed_size(model: PublishedModel, layers: Collection[str | None], given: SynthesisSize | None, pointer: str) -> SynthesisSize | None:
    """Return the size of the model's own input if a target needs it, else None. A square size is its side.

    Raises:
        InvalidParameters: A target needs another size than `given`.
    """
    needed = {path: size for path in layers if (size := required_input_size(model.description, path)) is not None}
    if not needed:
        return None
    path, (height, width) = next(iter(needed.items()))
    if given is not None and sides_of(given) != (height, width):
        target = "The class score" if path is None else f"Layer '{path}'"
        raise InvalidParameters(
            f"{target} of model '{model.description.name}' needs the model's own input size, {height}×{width} (height × width): "
            f"a flatten or reshape before it fixes the size, but got {size_text(sides_of(given))}.",
            pointer=pointer,
            allowed=str(height) if height == width else f"[{height}, {width}]",
            got=str(given),
        )
    return height if height == width else (height, width)
