"""The description of how a picture is drawn from arrays: plain data, so that it can be stored and the picture drawn later."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

SourceArrays = Mapping[str, NDArray[np.generic]]
"""The arrays of a job by the names of their artifacts."""


class Drawing(BaseModel, ABC):
    """A picture as a function of a job's arrays, and of its photo if `needs_photo` is true.

    A kind of drawing is one subclass in a module of `rendering/drawings`. Its field `kind` has the type `Literal` of the kind's name and
    that name as its default. Its other fields are the options. Equal drawings of equal arrays give equal pixels.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    @property
    @abstractmethod
    def sources(self) -> tuple[str, ...]:
        """The names of the arrays that the picture is drawn from."""

    @property
    def needs_photo(self) -> bool:
        """True if the picture is drawn on the photo."""
        return False

    @abstractmethod
    def size(self, arrays: SourceArrays) -> tuple[int, int]:
        """Return the (height, width) of the picture without drawing it. `arrays` are the sources, by name."""

    @abstractmethod
    def draw(self, arrays: SourceArrays, photo: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
        """Return the picture, uint8 RGB (H, W, 3).

        Args:
            arrays: The sources, by name.
            photo: The caller's image as decoded, uint8 RGB (H, W, 3), if `needs_photo` is true.

        Raises:
            ValueError: The drawing needs the photo, and there is none.
        """
