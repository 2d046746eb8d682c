from __future__ import annotations

from pathlib import Path

import pytest

from cli.failure import CommandFailed
from cli.gallery import GalleryPicture, with_figures
from cli.gallery_calls import GalleryCall
from schemas.jobs import JobBase

PAGE = """# Gallery

## A book

Its reference

### First

![old words](pictures/gallery/source_1_1.jpg)

An old note

```sh
old call
```

### Second

![other](pictures/gallery/source_1_2.jpg)

```sh
other call
```
"""


def figure(file: str, note: str = "") -> GalleryPicture:
    call = GalleryCall("`New`", "predict", {"top": 3})
    return GalleryPicture(call, JobBase.model_construct(model="tiny"), Path("docs") / file, note)


def new_part(file: str, note: str = "") -> str:
    call = "curl -F image=@cat.jpg -F model=tiny -F top=3 localhost:8000/v1/predict -o predict.png"
    return f"### `New`\n\n![Prediction, New](pictures/gallery/{file})\n\n{note}```sh\n{call}\n```\n"


def test_a_figure_that_is_made_again_takes_the_place_of_the_old_one() -> None:
    photos = [Path("cat.jpg")]
    first = with_figures(PAGE, [figure("source_1_1.jpg", "A warning")], photos)
    begin, end = PAGE.index("### First"), PAGE.index("### Second")
    assert first == PAGE[:begin] + new_part("source_1_1.jpg", "A warning\n\n") + "\n" + PAGE[end:]
    assert with_figures(PAGE, [figure("source_1_2.jpg")], photos) == PAGE[:end] + new_part("source_1_2.jpg")
    assert with_figures(PAGE, [], photos) == PAGE


def test_a_figure_that_the_page_does_not_have_is_refused() -> None:
    with pytest.raises(CommandFailed, match=r"no figure source_1_3\.jpg yet"):
        with_figures(PAGE, [figure("source_1_3.jpg")], [Path("cat.jpg")])
