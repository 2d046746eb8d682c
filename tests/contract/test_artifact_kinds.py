"""A kind of artifact is complete: it has one row, one class, one encoder, and a converter for each representation that is not stored."""

from __future__ import annotations

from typing import get_args

import pytest

from schemas.artifacts import MEDIA, ArtifactKind, DocumentType
from service.converters import CONVERTERS
from workers.contract.artifacts import DrawnArtifact, PictureOfArrays
from workers.execution.artifact_encoders import ENCODERS

KINDS: tuple[ArtifactKind, ...] = get_args(ArtifactKind)


def test_each_kind_has_one_row() -> None:
    assert tuple(MEDIA) == KINDS


def test_each_kind_has_one_class_and_each_class_has_an_encoder() -> None:
    classes = [each for each in DrawnArtifact.__subclasses__() if each is not PictureOfArrays]  # the service draws it
    assert sorted(each.kind for each in classes) == sorted(KINDS)
    assert set(ENCODERS) == set(classes)


def test_each_representation_that_is_not_stored_has_a_converter() -> None:
    needed = {(kind, each.name) for kind, media in MEDIA.items() for each in media.representations if not each.native}
    assert set(CONVERTERS) == needed


@pytest.mark.parametrize("kind", KINDS)
def test_names_and_media_types_of_a_kind_are_unique(kind: ArtifactKind) -> None:
    representations = MEDIA[kind].representations
    assert len({each.name for each in representations}) == len({each.media_type for each in representations}) == len(representations)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "document"])
def test_one_representation_is_stored_and_it_comes_first(kind: ArtifactKind) -> None:
    assert [each.native for each in MEDIA[kind].representations] == [True] + [False] * (len(MEDIA[kind].representations) - 1)


def test_a_document_is_stored_in_each_of_its_types() -> None:
    assert [each.media_type for each in MEDIA["document"].representations] == list(get_args(DocumentType))
    assert all(each.native for each in MEDIA["document"].representations)
