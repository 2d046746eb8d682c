"""A result that was computed for other colours is drawn as if it had been computed for these."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schemas.methods import METHODS
from tests.contract.cases import case
from tests.contract.test_methods import SHOWS_SECONDS, contents

OTHER = {
    "annotate": False,
    "alpha": 0.25,
    "borders": False,
    "clip": 91,
    "colormap": "magma",
    "names": {f"img_{'a' * 64}": "cat.jpg"},  # the first of the images in the examples
    "smooth": 0.02,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, params in METHODS.items() if params.card.needs_model and name not in SHOWS_SECONDS])
def test_what_only_the_drawing_reads_does_not_change_the_result(name: str) -> None:
    tried = case(name, "functional")
    drawn = type(tried.params).only_drawn & type(tried.params).model_fields.keys()
    assert drawn <= OTHER.keys(), "Give the other parameters a value in OTHER."
    other = replace(tried, params=tried.params.changed(**{each: OTHER[each] for each in drawn}))
    for (computed, photo), (anew, _) in zip(tried.results(), other.results(), strict=True):
        first = contents(tried.draw(computed, photo))
        assert contents(other.draw(computed, photo)) == contents(other.draw(anew, photo))
        assert contents(tried.draw(computed, photo)) == first, "the drawing has changed the result"
