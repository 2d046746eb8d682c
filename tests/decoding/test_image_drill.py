"""A sample of the drill with damaged images, which CI runs."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.image_drill import MOST_GROWTH, DrillResult, mutations, own_files, run_drill


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # Pillow warns about broken TIFF and EXIF directories
def test_damaged_images_are_refused_and_harm_nothing() -> None:
    files = own_files()
    result = run_drill(files, 200, seed=7, seconds=30)
    assert result.faults == []
    assert len(files) >= 24
    assert result.statuses[200] >= len(files)
    assert set(result.statuses) <= {200, 415, 422}
    assert result.statuses[422] > 50


def test_a_drill_names_what_breaks_the_promise() -> None:
    assert DrillResult(Counter({200: 5, 422: 3}), MOST_GROWTH).faults == []
    assert DrillResult(Counter({200: 5, 500: 3}), MOST_GROWTH + 1).faults == [
        "3 files were answered with 500",
        "the memory has grown by 67,108,865 bytes",
    ]


def test_mutations_are_the_same_for_the_same_seed() -> None:
    files = own_files()
    assert list(mutations(files, 20, 3)) == list(mutations(files, 20, 3))
    assert list(mutations(files, 20, 3)) != list(mutations(files, 20, 4))
