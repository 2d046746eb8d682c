"""Parameters on the command line become JSON values or texts."""

from __future__ import annotations

import pytest

from convscope.cli.failing import CommandError
from convscope.cli.parameters import read_parameters


def test_json_values_and_texts() -> None:
    texts = ["class_index=285", "layer=null", 'target={"class": "tabby"}', "colormap=gray", "label=a=b", 'text="7"', "alpha=NaN", "empty="]
    assert read_parameters(texts) == {
        "class_index": 285,
        "layer": None,
        "target": {"class": "tabby"},
        "colormap": "gray",
        "label": "a=b",
        "text": "7",
        "alpha": "NaN",
        "empty": "",
    }


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        (["alpha"], "name=value.*got 'alpha'"),
        (["=3"], "name=value"),
        (["a b=3"], "name=value"),
        (["alpha=1", "alpha=2"], "'alpha' is given twice"),
        (["model=vgg16"], "'model' is not a parameter"),
    ],
)
def test_wrong_parameters_are_named(texts: list[str], why: str) -> None:
    with pytest.raises(CommandError, match=why):
        read_parameters(texts)
