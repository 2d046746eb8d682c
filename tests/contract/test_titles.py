"""Every method says in its primary picture what it shows, or can be asked to leave the words out."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from schemas.methods import METHODS
from schemas.methods.annotate import AnnotateParams, TitleParams
from tests.contract.cases import MethodCase, case
from tests.words_drawn import words_drawn
from workers.contract.artifacts import Output, Picture, PictureOfArrays
from workers.execution import annotate_pictures

WORDS_ARE_THE_CONTENT = {"embedding", "intervene", "mean_map", "nearest", "rank_methods"}
"""These methods have no `annotate`: their pictures are a plot, tables, or charts of several pictures, which say nothing without words."""
WITHOUT_A_TITLE = {"sandbox"}
"""The sandbox has no model and no layers. Its rows say what each stage is, as the figures of its source do."""


def drawn(tried: MethodCase, result: Any, photo: Any, *, annotate: bool) -> Output:
    params = tried.params.changed(annotate=annotate) if "annotate" in type(tried.params).model_fields else tried.params
    job: Any = SimpleNamespace(method=tried.method, params=params, model=SimpleNamespace(published=tried.published))
    return annotate_pictures.draw(job, result, photo)


def primary(output: Output) -> Picture:
    (found,) = (each for each in output.artifacts if isinstance(each, Picture) and each.primary)
    return found


def test_a_method_without_the_parameter_has_words_that_are_its_content() -> None:
    assert {name for name, params in METHODS.items() if "annotate" not in params.model_fields} == WORDS_ARE_THE_CONTENT


def test_the_primary_picture_names_the_method_and_the_model(method: str) -> None:
    tried = case(method, "functional")
    result, photo = tried.results()[0]
    with words_drawn() as words:
        drawn(tried, result, photo, annotate=True)
    said = " ".join(words)
    if method in WITHOUT_A_TITLE:
        return
    assert METHODS[method].card.title in said
    assert tried.published.description.name in said
    if isinstance(layer := getattr(tried.params, "layer", None), str):
        assert layer in said


def test_without_annotations_a_picture_has_no_title_and_stands_unchanged_below_it(method: str) -> None:
    tried = case(method, "functional")
    if not isinstance(tried.params, AnnotateParams | TitleParams):
        return
    result, photo = tried.results()[0]
    with words_drawn() as words:
        bare = primary(drawn(tried, result, photo, annotate=False))
    assert METHODS[method].card.title not in " ".join(words)
    np.testing.assert_array_equal(bare.image, primary(tried.method.draw(result, photo, tried.params.changed(annotate=False))).image)
    annotated = primary(drawn(tried, result, photo, annotate=True)).image
    assert annotated.shape[0] > bare.image.shape[0]


def test_pictures_that_are_drawn_later_know_their_sizes(method: str) -> None:
    tried = case(method, "functional")
    result, photo = tried.results()[0]
    for annotate in (False, True):
        output = drawn(tried, result, photo, annotate=annotate)
        arrays = {each.name: each.array for each in output.artifacts if each.kind == "array"}  # type: ignore[attr-defined]
        for each in output.artifacts:
            if isinstance(each, PictureOfArrays):
                assert each.drawing.draw(arrays, photo.image if photo else None).shape == each.shape
