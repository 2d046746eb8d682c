"""`filters` says below its title what its images excite, for each kind of objective."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.methods.synthesis.filters import Filters
from workers.methods.synthesis.filter_targets import ImageTarget
from workers.methods.synthesis.filter_words import tile_label, what_is_excited


def channels(*numbers: int) -> list[ImageTarget]:
    return [ImageTarget(f"channel_{number}", channel=number) for number in numbers]


CAT = ImageTarget("class_285", class_index=285, label="Egyptian cat")
UNNAMED = ImageTarget("class_3", class_index=3)


@pytest.mark.parametrize(
    ("given", "shown", "words"),
    [
        ({"channels": (48,)}, channels(48), "channel 48"),
        ({"channels": 8}, channels(*range(8)), "channels 0 to 7"),
        ({"channels": (0, 5, 100)}, channels(0, 5, 100), "channels 0, 5, 100"),
        ({"channels": (9, 8, 7, 6, 5, 4, 3, 1, 0)}, channels(9, 8, 7, 6, 5, 4, 3, 1, 0), "9 channels"),
        ({"channels": (1, 2)}, channels(1, 2), "channels 1, 2"),
        ({"channels": (4,), "diversity": {"count": 2}}, channels(4, 4), "2 different images of channel 4"),
        ({"class_index": 285}, [CAT], "Egyptian cat (285)"),
        ({"class_index": (285, 3)}, [CAT, UNNAMED], "Egyptian cat (285), class 3"),
        ({"neuron": (3, 4, 12)}, [ImageTarget("neuron_3_4_12", channel=12)], "the neuron at row 3 and column 4 of channel 12"),
        ({"whole_layer": True}, [ImageTarget("layer")], "all channels of the layer together"),
        ({"direction": ((3, 1.0), (7, -0.5))}, [ImageTarget("direction")], "the direction 1 × channel 3 + −0.5 × channel 7"),
        ({"objectives": ({"class_index": 1}, {"class_index": 2})}, [ImageTarget("sum")], "a weighted sum of 2 objectives"),
        ({"channels": 8, "preset": "keras_blog"}, [], ""),
    ],
)
def test_the_line_below_the_title(given: dict[str, Any], shown: list[ImageTarget], words: str) -> None:
    assert what_is_excited(Filters.model_validate(given), shown) == words


def test_a_tile_carries_its_channel_its_class_or_its_name() -> None:
    assert [tile_label(each) for each in (*channels(7), CAT, UNNAMED, ImageTarget("sum"))] == ["7", "Egyptian cat", "class 3", "sum"]
