from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from cli.gallery_sets import SETS_NOTES, SETS_OF, photo_sets, uploaded_sets

SAMPLES = Path(__file__).parents[2] / "samples"


def test_every_set_that_a_method_is_shown_is_made_and_explained() -> None:
    made = photo_sets(SAMPLES)
    assert made == photo_sets(SAMPLES)
    assert SETS_NOTES.keys() == SETS_OF.keys()
    for method, fields in SETS_OF.items():
        assert uploaded_sets(method, SAMPLES, lambda name, png: name).keys() == fields.keys()
        assert {name for names in fields.values() for name in names} <= made.keys()


def test_the_cup_is_at_one_place_of_every_photo_and_what_is_behind_it_differs() -> None:
    photos = np.stack([np.asarray(Image.open(io.BytesIO(each))) for each in photo_sets(SAMPLES)["CUPS"]]).astype(np.int16)
    assert photos.shape == (12, 224, 224, 3)
    spread = np.ptp(photos, axis=0).max(axis=-1)
    assert (spread[110:180, 50:100] == 0).all()
    assert (spread[:60] > 20).mean() > 0.99
