"""The classes that parameters ask for, before and after they are resolved."""

from __future__ import annotations

import pytest

from schemas.errors import LimitExceeded, UnknownClass
from schemas.limits import MethodLimits
from schemas.methods.cam.grad_cam import GradCam
from schemas.methods.target_class import TOP_CLASS, TargetClasses, class_output
from tests.schemas.tiny import LABELS, published


@pytest.mark.parametrize(
    ("given", "resolved", "classes"),
    [
        (None, None, TargetClasses((TOP_CLASS,), listed=False)),
        (3, 3, TargetClasses((3,), listed=False)),
        (LABELS[2], 2, TargetClasses((2,), listed=False)),
        ((4,), (4,), TargetClasses((4,), listed=True)),
        ((LABELS[1].upper(), 0), (1, 0), TargetClasses((1, 0), listed=True)),
    ],
)
def test_class_index_becomes_indices_or_the_top_class(
    given: int | str | tuple[int | str, ...] | None, resolved: int | tuple[int, ...] | None, classes: TargetClasses
) -> None:
    params = GradCam(class_index=given).resolve(published(), MethodLimits())
    assert params.class_index == resolved
    assert params.target_classes() == classes
    assert params.resolve(published(), MethodLimits()) == params


@pytest.mark.parametrize("wrong", [TOP_CLASS, 5, (0, -2)])
def test_an_index_that_the_model_does_not_have_is_refused(wrong: int | tuple[int, ...]) -> None:
    """A caller asks for the top class with null. The -1 that stands for it inside is no class index."""
    with pytest.raises(UnknownClass, match="0 to 4"):
        GradCam(class_index=wrong).resolve(published(), MethodLimits())


def test_a_label_must_be_resolved_before_it_is_used() -> None:
    with pytest.raises(ValueError, match="not resolved: class_index is 'tench'"):
        GradCam(class_index="tench").target_classes()


def test_the_number_of_classes_is_limited() -> None:
    limits = MethodLimits(max_classes=2)
    assert GradCam(class_index=(0, 1)).resolve(published(), limits).target_classes().indices == (0, 1)
    with pytest.raises(LimitExceeded, match="at most 2 classes, got 3"):
        GradCam(class_index=(0, 1, 2)).resolve(published(), limits)


def test_an_output_without_classes_is_refused() -> None:
    assert class_output(published(), None).classes == 5
    with pytest.raises(UnknownClass, match="no class output"):
        class_output(published(classes=None, head="none"), None)
