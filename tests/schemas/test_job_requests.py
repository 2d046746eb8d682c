"""Submissions: one union of models, told apart by `method`."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.job_requests import JOB_REQUEST_CLASSES, example_request, job_request_adapter
from schemas.methods import METHODS


@pytest.mark.parametrize("method", METHODS)
def test_a_request_has_the_params_of_its_method(method: str) -> None:
    request = job_request_adapter.validate_python(example_request(method))
    assert type(request) is JOB_REQUEST_CLASSES[method]
    assert type(request.params) is METHODS[method]
    assert job_request_adapter.validate_json(job_request_adapter.dump_json(request)) == request


def test_params_of_another_method_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"grad_cam\.params\.top"):
        job_request_adapter.validate_python({"method": "grad_cam", "model": "vgg16", "params": {"top": 5}})


@pytest.mark.parametrize(
    "change",
    [{"method": "gradcam"}, {"method": None}, {"model": "../x"}, {"model": "A"}, {"image": {}}, {"image": {"id": "img_1"}}, {"extra": 1}],
)
def test_an_invalid_request_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        job_request_adapter.validate_python({"method": "grad_cam", "model": "vgg16"} | change)
