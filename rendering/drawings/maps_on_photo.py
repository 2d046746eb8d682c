"""Maps over the model's input, drawn on the photo or alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Literal

import numpy as np
from jaxtyping import Float32, UInt8
from numpy.typing import NDArray
from pydantic import Field

from rendering import colormaps, scaling
from rendering.charts.colour_scale import ColourScale
from rendering.drawings.base import Drawing, SourceArrays
from rendering.overlays import OverlayAndHeatmap
from rendering.overlays.blend import blend
from rendering.overlays.borders import with_borders
from rendering.overlays.diverging import blend_diverging
from rendering.overlays.dlwp1 import draw_as_dlwp1
from rendering.overlays.keras_io import draw_as_keras_io
from rendering.overlays.unseen import unseen_meaning
from rendering.photo import Photo, Placement
from rendering.sheets import captioned_sheet, captioned_sheet_size, photo_for_tiles
from schemas.methods.colormap import Colormap

Scaling = Literal["heat", "heat_from_minimum", "signed"]

_SCALINGS: Mapping[Scaling, Callable[[Float32[np.ndarray, "h w"]], Float32[np.ndarray, "h w"]]] = {
    "heat": scaling.heat,
    "heat_from_minimum": lambda values: scaling.heat(values - values.min()),
    "signed": scaling.signed,
}


class MapsOnPhoto(Drawing):
    """One map, or several maps as tiles with captions. The overlay is drawn on the photo, and the heatmap is the map alone.

    Attributes:
        part: The overlay or the heatmap.
        way: The way of drawing in `rendering/overlays`.
        photo_size: (height, width) of the photo.
        placement: Where the photo lies in the model's input.
        source: The array of the map, (h, w), or of n maps, (n, h, w).
        scaling: How a map is scaled before it is drawn. `heat_from_minimum` subtracts its smallest value first.
        smooth: The σ of the Gaussian by which a map is blurred first, as a share of its shorter side. 0 means that it is not.
        clip: The percentile (0-100) of the absolute values at which a map is cut off then. None means that it is not.
        colormap: The colours, for the way `blend`.
        alpha: The weight of the map in the overlay, 0-1, for the ways `blend` and `diverging`.
        captions: The words above each tile, if there are several maps.
        remark: Words about the maps that everybody should know who looks at the picture, or nothing.
        contrasts: The share (0-1) of the scale's colours that each map takes, for maps that are mostly noise. The overlay shows such a
            map more faintly by this factor too. If there are none, each map takes all colours.
        borders: If it is true, thin lines stand between positions of different values: the borders of segments.
    """

    kind: Literal["maps_on_photo"] = "maps_on_photo"
    part: Literal["overlay", "heatmap"] = "overlay"
    way: Literal["blend", "diverging", "dlwp1", "keras_io"] = "blend"
    photo_size: tuple[int, int]
    placement: Placement
    source: str = "map"
    scaling: Scaling = "heat"
    smooth: float = 0.0
    clip: float | None = None
    colormap: Colormap = "jet"
    alpha: float = 0.5
    captions: tuple[str, ...] = ()
    remark: str = ""
    contrasts: tuple[Annotated[float, Field(gt=0, le=1)], ...] = ()
    borders: bool = False

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.source,)

    @property
    def needs_photo(self) -> bool:
        return self.part == "overlay"

    @property
    def alone(self) -> MapsOnPhoto:
        """The heatmap of the same maps."""
        return self.model_copy(update={"part": "heatmap"})

    @property
    def meaning(self) -> str:
        """The remark, and the meaning of the colours that the scale does not explain. It is empty if the scale explains all of them."""
        unseen = unseen_meaning(self.placement, self.photo_size, "faded" if self.part == "overlay" else "light grey")
        signs = ("red: for it", "blue: against it") if self.way == "diverging" else ()
        return " · ".join(filter(None, (self.remark, *signs, unseen)))

    def count(self, arrays: SourceArrays) -> int:
        """Return the number of maps."""
        return len(_maps(arrays[self.source]))

    def colour_scale(self, arrays: SourceArrays) -> ColourScale:
        """Return the scale of the colours. Its numbers are those of the map; several maps have a scale each, so it has words."""
        maps = _maps(arrays[self.source])
        return ColourScale(self._colours(), self._labels(maps[0] if len(maps) == 1 else None))

    def _contrast(self, number: int) -> float:
        return self.contrasts[number] if self.contrasts else 1.0

    def _colours(self) -> UInt8[np.ndarray, "256 3"]:
        if self.way == "diverging":
            return colormaps.table("signed")
        return colormaps.table("jet" if self.way in ("dlwp1", "keras_io") else self.colormap)

    def _labels(self, values: Float32[np.ndarray, "h w"] | None) -> tuple[tuple[float, str], ...]:
        """Return the words at the ends of the scale and at its zero. None stands for several maps."""
        if values is None:
            ends = {"heat": ("0", "max"), "heat_from_minimum": ("min", "max"), "signed": ("−max", "max")}
            low, high = ends[self.scaling]
        else:
            if scaling.why_degenerate(values):
                return ((0.5 if self.scaling == "signed" else 0.0, f"{values.flat[0]:.3g}".replace("-", "−")),)
            cut = self._cut(values)
            top = float(np.abs(cut).max() if self.scaling == "signed" else cut.max())
            bottom = {"heat": 0.0, "heat_from_minimum": float(cut.min()), "signed": -top}[self.scaling]
            beyond = self.clip is not None and self.clip < 100
            bottom, top = self._widened(bottom, top)
            low, high = _number(bottom, "≤ " if beyond and bottom else ""), _number(top, "≥ " if beyond else "")
        zero = ((0.5, "0"),) if self.scaling == "signed" else ()
        return ((0.0, low), *zero, (1.0, high))

    def _widened(self, bottom: float, top: float) -> tuple[float, float]:
        """Return the ends of the scale of one map that takes only a share of the colours."""
        share = self._contrast(0)
        fixed = (bottom + top) / 2 if self.scaling == "heat_from_minimum" else 0.0
        return fixed + (bottom - fixed) / share, fixed + (top - fixed) / share

    def size(self, arrays: SourceArrays) -> tuple[int, int]:
        count = self.count(arrays)
        return self.photo_size if count == 1 else captioned_sheet_size(count, photo_for_tiles(self._blank(), count))

    def draw(self, arrays: SourceArrays, photo: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
        if photo is None and self.needs_photo:
            raise ValueError("an overlay cannot be drawn without the photo")
        maps = _maps(arrays[self.source])
        drawn = photo_for_tiles(self._blank() if photo is None else Photo(photo, self.placement), len(maps))
        tiles = [self._tile(values, drawn, self._contrast(number)) for number, values in enumerate(maps)]
        return tiles[0] if len(tiles) == 1 else captioned_sheet(tiles, self.captions, drawn)

    def _tile(self, values: Float32[np.ndarray, "h w"], photo: Photo, contrast: float) -> UInt8[np.ndarray, "H W 3"]:
        cut = self._cut(values)
        overlay, heatmap = self._on_photo(self._scaled(cut, contrast), photo, contrast)
        picture = overlay if self.part == "overlay" else heatmap
        return with_borders(picture, cut, photo) if self.borders else picture

    def _scaled(self, values: Float32[np.ndarray, "h w"], contrast: float) -> Float32[np.ndarray, "h w"]:
        """Return the map as it is drawn: 0-1, or −1 to 1 if it is signed. With less contrast, it takes less of this range.

        A map that is scaled from its minimum then lies around the middle of the range, and any other around its zero.
        """
        scaled = _SCALINGS[self.scaling](values)
        if contrast == 1 or scaling.why_degenerate(scaled):
            return scaled
        fixed = np.float32(0.5 if self.scaling == "heat_from_minimum" else 0)
        return fixed + np.float32(contrast) * (scaled - fixed)

    def _cut(self, values: Float32[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
        """Return the map smoothed and cut off, as it is scaled and drawn."""
        smooth = scaling.smoothed(values, self.smooth) if self.smooth else values
        return smooth if self.clip is None else scaling.clipped(smooth, self.clip)

    def _on_photo(self, scaled: Float32[np.ndarray, "h w"], photo: Photo, contrast: float) -> OverlayAndHeatmap:
        alpha = self.alpha * contrast
        match self.way:
            case "blend":
                return blend(scaled, photo, self.colormap, alpha)
            case "diverging":
                return blend_diverging(scaled, photo, alpha)
            case "dlwp1":
                return draw_as_dlwp1(scaled, photo)
            case "keras_io":
                return draw_as_keras_io(scaled, photo)

    def _blank(self) -> Photo:
        """Return a black photo of the same size. A heatmap depends on no pixel of the photo."""
        return Photo(np.zeros((*self.photo_size, 3), np.uint8), self.placement)


def _maps(array: NDArray[np.generic]) -> Float32[np.ndarray, "n h w"]:
    maps = array if array.ndim == 3 else array[None]
    return maps.astype(np.float32, copy=False)


def _number(value: float, before: str) -> str:
    return before + f"{value:.3g}".replace("-", "−")
