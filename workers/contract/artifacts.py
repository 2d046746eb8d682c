"""The results that the `draw` function of a method returns: the artifacts of a job, its facts and its warnings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from rendering.charts.colour_scale import ColourScale
from rendering.drawings.base import Drawing
from schemas.artifacts import ArtifactKind, DocumentType
from schemas.methods.facts import Facts
from schemas.photo_place import PhotoPlace
from workers.contract.arrays import UInt8


class DrawnArtifact(ABC):
    """An artifact before it is encoded.

    Each kind of artifact is one subclass, which says how the artifact is described. `schemas/artifacts.py` lists what else a new
    kind needs.
    """

    kind: ClassVar[ArtifactKind]
    name: str

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Shape of the pixels or numbers, as the artifact's description states it."""

    @property
    @abstractmethod
    def dtype(self) -> str:
        """Name of the number type, as the artifact's description states it."""

    @property
    def is_primary(self) -> bool:
        """True for the one picture that answers a one-line request."""
        return False

    @property
    def document_type(self) -> DocumentType | None:
        """Media type of a document, and None for every other kind."""
        return None


@dataclass(frozen=True)
class Picture(DrawnArtifact):
    """An image artifact.

    `image` is uint8 RGB (H, W, 3). A method marks exactly one picture as `primary`: it answers a one-line request. `drawing` is given if
    the same pixels can be drawn from the arrays of the job; a method that runs this one can then have the picture drawn later.
    `scale` and `meaning` explain the colours of a picture without a drawing. They are put around the primary picture if the job asks for
    annotated pictures.
    """

    kind = "image"
    name: str
    image: UInt8
    primary: bool = False
    drawing: Drawing | None = None
    scale: ColourScale | None = None
    meaning: str = ""

    @property
    def shape(self) -> tuple[int, ...]:
        return self.image.shape

    @property
    def dtype(self) -> str:
        return self.image.dtype.name

    @property
    def is_primary(self) -> bool:
        return self.primary


@dataclass(frozen=True)
class PictureOfArrays(DrawnArtifact):
    """An image artifact that is not drawn by the worker.

    The service draws it from the arrays of the job, with the names that `drawing` states, when somebody first fetches it. `size` is the
    picture's (height, width).
    """

    kind = "image"
    name: str
    drawing: Drawing
    size: tuple[int, int]

    @classmethod
    def of(cls, name: str, drawing: Drawing, arrays: Sequence[Array]) -> Self:
        """Return the picture that is drawn from some of `arrays`, which are artifacts of the same job."""
        return cls(name, drawing, drawing.size({each.name: each.array for each in arrays}))

    @property
    def shape(self) -> tuple[int, ...]:
        return (*self.size, 3)

    @property
    def dtype(self) -> str:
        return "uint8"


@dataclass(frozen=True)
class Animation(DrawnArtifact):
    """An animation artifact that repeats without end.

    `frames` are uint8 RGB (n, H, W, 3). Each frame is shown for its number of `milliseconds`.
    """

    kind = "animation"
    name: str
    frames: UInt8
    milliseconds: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.frames.shape

    @property
    def dtype(self) -> str:
        return self.frames.dtype.name


@dataclass(frozen=True)
class Array(DrawnArtifact):
    """An array artifact of any shape and number type.

    `on_photo` says where the map lies on the photo, or where each map of an array (h, w, K) lies. The pipeline fills it in for an array
    that a picture of the job lays over the photo.
    """

    kind = "array"
    name: str
    array: NDArray[np.generic]
    on_photo: PhotoPlace | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def dtype(self) -> str:
        return self.array.dtype.name


@dataclass(frozen=True)
class Document(DrawnArtifact):
    """A document artifact: a text and its media type."""

    kind = "document"
    name: str
    media_type: DocumentType
    text: str

    @property
    def shape(self) -> tuple[int, ...]:
        return ()

    @property
    def dtype(self) -> str:
        return "text"

    @property
    def document_type(self) -> DocumentType:
        return self.media_type


@dataclass(frozen=True)
class Output:
    """All results of a job.

    `warnings` are sentences for the caller, for example why an optional artifact is missing. `line` stands below the title of the pictures
    in place of the explained class.
    """

    artifacts: tuple[DrawnArtifact, ...]
    facts: Facts
    warnings: tuple[str, ...] = ()
    line: str = ""
