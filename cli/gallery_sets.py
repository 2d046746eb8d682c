"""The sets of photos that the gallery shows some methods: crops of the sample photos, and drawn patterns."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from pydantic import JsonValue

SETS_OF: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "activation_atlas": {"images": ("CROPS",)},
    "mean_map": {"images": ("CUPS",)},
    "tcav": {
        "images": ("CATS",),
        "concepts": ("EYES", "FUR", "STRIPES", "DOTS"),
        "random_sets": tuple(f"RANDOM_{number}" for number in range(1, 11)),
    },
}
"""The names of the sets that each parameter of a method names. In the documents, they stand for the ids of sets."""
SETS_NOTES: Mapping[str, str] = {
    "activation_atlas": (
        "$CROPS stands for the id of a set (`POST /v1/sets`). Its photos are 32 crops of the four sample photos, so the map has few kinds "
        "of things. Real sets have more, and fill more of the grid."
    ),
    "mean_map": (
        "$CUPS stands for the id of a set (`POST /v1/sets`). Its 12 photos show one cup at the same place, cut out of one photo, before "
        "parts of other photos and before patterns. So the mean map says whether the model looks at the cup or at what is around it."
    ),
    "tcav": (
        "The names that begin with $ stand for the ids of sets (`POST /v1/sets`). The cats, their eyes and their fur are crops of one "
        "photo, and the random sets are crops of two others with pictures of noise. Real concepts need real photos."
    ),
}
_SIDE, _LARGE = 160, 224  # pixels
_EYE = (0.26, 0.2, 0.5, 0.56)  # left, top, right, bottom in the cat's photo, as shares
_FUR = (0.22, 0.0, 0.72, 0.27)
_CUP = (0.13, 0.03, 0.8, 0.97)  # left, top, right, bottom of the cup and its saucer in the photo of coffee, as shares
_CUP_SHARE, _CUP_CORNER = 0.62, (0.04, 0.34)  # the cup's share of a picture's side, and the left and top of it, as shares
_COUNT, _RANDOM_COUNT, _CROPS = 12, 8, 8


def uploaded_sets(method: str, folder: Path, upload: Callable[[str, bytes], str]) -> dict[str, JsonValue]:
    """Upload the photos of the sets that a method of `SETS_OF` is shown, and return the parameters that name them.

    Args:
        method: the name of the method.
        folder: the folder of the sample photos.
        upload: uploads a file with its name, and returns the id of the upload.
    """
    sets = photo_sets(folder)
    made: dict[str, list[JsonValue]] = {
        name: [upload(f"{name}_{number}.png", each) for number, each in enumerate(sets[name])]
        for names in SETS_OF[method].values()
        for name in names
    }
    return {
        field: [image for name in names for image in made[name]]
        if field == "images"
        else [{"name": name.lower().replace("_", " "), "images": made[name]} for name in names]
        for field, names in SETS_OF[method].items()
    }


def photo_sets(folder: Path) -> dict[str, list[bytes]]:
    """Return the photos of each set as PNG files. `folder` has the sample photos. The pictures are the same each time."""
    rng = np.random.default_rng(0)
    cat, coffee, rocket = (Image.open(folder / f"{name}.jpg").convert("RGB") for name in ("cat", "coffee", "rocket"))
    sets = {
        "CATS": [_crop(cat, rng, (0.8, 1.0)) for _ in range(_COUNT)],
        "FUR": [_crop(_part(cat, _FUR), rng, (0.5, 1.0)) for _ in range(_COUNT)],
        "EYES": [_crop(_part(cat, _EYE), rng, (0.85, 1.0)) for _ in range(_COUNT)],
        "STRIPES": [_pattern(rng, dots=False) for _ in range(_COUNT)],
        "DOTS": [_pattern(rng, dots=True) for _ in range(_COUNT)],
    }
    for name in SETS_OF["tcav"]["random_sets"]:
        crops = [_crop(each, rng, (0.2, 0.5)) for each in (coffee, rocket, rocket) for _ in range(2)]
        sets[name] = [*crops, *(_noise(rng) for _ in range(_RANDOM_COUNT - len(crops)))]
    both = Image.open(folder / "cat_and_coffee.jpg").convert("RGB")
    sets["CROPS"] = [_crop(each, rng, (0.35, 1.0), _LARGE) for each in (cat, both, coffee, rocket) for _ in range(_CROPS)]
    behind = [_crop(each, rng, (0.35, 1.0), _LARGE) for each in (cat, rocket) for _ in range(4)]
    behind += [_pattern(rng, dots=dots).resize((_LARGE, _LARGE)) for dots in (False, True)]
    behind += [_noise(rng).resize((_LARGE, _LARGE)) for _ in range(2)]
    sets["CUPS"] = [_with_cup(each, _part(coffee, _CUP)) for each in behind]
    return {name: [_png(each) for each in pictures] for name, pictures in sets.items()}


def _part(photo: Image.Image, shares: tuple[float, float, float, float]) -> Image.Image:
    width, height = photo.size
    left, top, right, bottom = shares
    return photo.crop((round(left * width), round(top * height), round(right * width), round(bottom * height)))


def _with_cup(background: Image.Image, cup: Image.Image) -> Image.Image:
    """Return a square picture with the cup before it, cut out along an ellipse with a soft edge."""
    side = round(_CUP_SHARE * background.width)
    mask = Image.new("L", (side, side))
    ImageDraw.Draw(mask).ellipse((2, 2, side - 3, side - 3), fill=255)
    found = background.copy()
    corner = (round(_CUP_CORNER[0] * background.width), round(_CUP_CORNER[1] * background.height))
    found.paste(cup.resize((side, side), Image.Resampling.BICUBIC), corner, mask.filter(ImageFilter.GaussianBlur(2)))
    return found


def _crop(photo: Image.Image, rng: np.random.Generator, shares: tuple[float, float], resized: int = _SIDE) -> Image.Image:
    """Return a square at a random place, mirrored or not, at the size `resized`. Its side is a random share of the photo's shorter one."""
    side = round(rng.uniform(*shares) * min(photo.size))
    left, top = (int(rng.integers(0, length - side + 1)) for length in photo.size)
    cut = photo.crop((left, top, left + side, top + side)).resize((resized, resized), Image.Resampling.BICUBIC)
    return cut.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else cut


def _pattern(rng: np.random.Generator, *, dots: bool) -> Image.Image:
    """Return stripes of two random colours in a random direction, or dots in two such directions."""
    y, x = np.mgrid[:_SIDE, :_SIDE]
    angle, period, first, second = rng.uniform(0, np.pi), rng.uniform(10, 30), rng.integers(0, 256, 3), rng.integers(0, 256, 3)
    across, along = (np.sin(2 * np.pi / period * (np.cos(a) * x + np.sin(a) * y)) for a in (angle, angle + np.pi / 2))
    shown = (across + along > 0.7) if dots else across > 0
    return Image.fromarray(np.where(shown[..., None], first, second).astype(np.uint8))


def _noise(rng: np.random.Generator) -> Image.Image:
    """Return random colours that change smoothly."""
    coarse = rng.integers(0, 256, (7, 7, 3), np.uint8)
    return Image.fromarray(coarse).resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)


def _png(picture: Image.Image) -> bytes:
    content = io.BytesIO()
    picture.save(content, "PNG")
    return content.getvalue()
