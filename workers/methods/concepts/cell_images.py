"""Feature visualisations of directions in a layer, for the cells of an atlas, one group of cells after another."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from schemas.methods.concepts.activation_atlas import MOST_COLUMNS, ActivationAtlas
from workers.contract.arrays import Arrays
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.contract.progress import Pieces, Slice
from workers.contract.synthesis import AscentState, Objective
from workers.methods.synthesis.ascent_spec import ascent_spec
from workers.methods.synthesis.channel_images import image_piece
from workers.methods.synthesis.pictures import preview, synthesised_picture
from workers.methods.synthesis.previews import slices_with_previews

GROUP = 16  # cells of one ascent; a job that is stopped loses no more than these


@dataclass(frozen=True)
class CellImages:
    """The image of each cell, whether a gradient ever reached it, and how many images were taken over from earlier jobs."""

    pictures: UInt8[np.ndarray, "c h w 3"]
    seen: Bool[np.ndarray, " c"]
    reused: int


@dataclass(frozen=True)
class AtlasJob:
    """A job, whose progress counts the photos, the photos again for the classes, and the steps of groups of cells."""

    probe: Probe
    inputs: Inputs
    params: ActivationAtlas

    @property
    def layer(self) -> str:
        return self.params.layer or ""

    @property
    def photos(self) -> int:
        return len(self.inputs.several)

    def slice(
        self,
        passes: int,
        ascent: float = 0.0,
        state: AscentState | None = None,
        picture: UInt8[np.ndarray, "H W 3"] | None = None,
        pieces: Pieces | None = None,
    ) -> Slice:
        """Return a slice after so many passes of photos, and after this share of the ascents.

        The steps of the ascents are those of as many groups as the grid can need, because the cells are not known at the start.
        """
        steps = (self.params.steps or 0) * -(-((self.params.columns or MOST_COLUMNS) ** 2) // GROUP)
        value = float(state.values[:, -1].mean()) if state is not None and state.step else None
        return Slice(passes + int(ascent * steps), 2 * self.photos + steps, value, picture, pieces or {})


def piece_name(row: int, column: int) -> str:
    """Return the name of the piece that has the image of a cell."""
    return f"{row}.{column}"


def cell_images(job: AtlasJob, towards: Mapping[str, Float32[np.ndarray, " k"]]) -> Generator[Slice, None, CellImages]:
    """Make the images in groups, and hand out a finished group as pieces. A group whose images are all at hand as pieces is taken over.

    The random start of an image depends on its place in its group, so the groups are always the same.

    Args:
        job: the job, whose passes of photos are all done.
        towards: the direction of each cell, of length 1, by the name of its piece.
    """
    names, pieces, reused = list(towards), dict[str, Arrays](), 0
    for start in range(0, len(names), GROUP):
        group, done = names[start : start + GROUP], start / len(names)
        if all(name in job.inputs.pieces for name in group):
            pieces |= {name: job.inputs.pieces[name] for name in group}
            reused += len(group)
            continue
        share = len(group) / len(names)
        last = yield from _ascended(job, np.stack([towards[name] for name in group]), done, share)
        made = {name: image_piece(last, at) for at, name in enumerate(group)}
        pieces |= made
        yield job.slice(2 * job.photos, done + share, last, pieces=made)
    yield job.slice(2 * job.photos, 1.0)
    preprocessing = job.probe.description.preprocessing
    pictures = [synthesised_picture(job.params, preprocessing, np.asarray(pieces[name]["image"])) for name in names]
    return CellImages(np.stack(pictures), np.array([bool(pieces[name]["seen"]) for name in names]), reused)


def _ascended(job: AtlasJob, towards: Float32[np.ndarray, "c k"], done: float, share: float) -> Generator[Slice, None, AscentState]:
    """Run the ascent of up to `GROUP` cells, which are this share of all, after a share of all that is done."""
    params, preprocessing = job.params, job.probe.description.preprocessing
    padded = np.zeros((GROUP, towards.shape[1]), np.float32)  # all groups share one compiled step
    padded[: len(towards)] = towards
    objective = Objective("direction", job.layer, tuple(range(len(towards))), directions=padded, power=params.power)
    last = yield from slices_with_previews(
        job.probe.ascend(ascent_spec(params, objective, preprocessing)),
        lambda state: preview(params, preprocessing, state.images),
        lambda state, picture: job.slice(2 * job.photos, done + share * state.step / state.total, state, picture),
    )
    return last
