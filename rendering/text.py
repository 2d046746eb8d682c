"""Write words on pictures, in DejaVu Sans.

The font has ×, σ, Greek and Cyrillic. It is a file of the matplotlib package, which need not be imported for it. Letters that it does
not have, such as Chinese ones, are written in Latin letters by the package anyascii.
"""

from __future__ import annotations

import importlib.util
import math
import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from anyascii import anyascii
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
PAPER: Colour = (255, 255, 255)  # the background of sheets and charts
INK: Colour = (34, 34, 34)  # the colour of words
_SHORT = 6  # letters; captions with no more, such as numbers, are drawn once and kept
_NO_LETTER = "\U0010ffff"  # Unicode promises that no letter will ever have this number


@cache
def font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Return DejaVu Sans with letters of `size` pixels.

    Raises:
        RuntimeError: matplotlib, whose package contains the font, is not installed.
    """
    package = importlib.util.find_spec("matplotlib")
    if package is None or not package.submodule_search_locations:
        raise RuntimeError("matplotlib is not installed; its package contains the font of captions and charts")
    folder = Path(package.submodule_search_locations[0]) / "mpl-data" / "fonts" / "ttf"
    file = folder / ("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf")
    return ImageFont.truetype(str(file), size, layout_engine=ImageFont.Layout.BASIC)


def drawable(text: str) -> str:
    """Return `text` in letters that can be drawn: 埃及猫 becomes AiJiMao.

    Letters that DejaVu Sans does not have would all be the same box. Letters of scripts that are written from right to left are replaced
    too, because the drawing puts one letter after another from left to right. What has no Latin letters becomes its number, "U+E000".
    """
    if text.isascii():
        return text
    return "".join(letter if _has(letter) else anyascii(letter) or f"U+{ord(letter):04X}" for letter in unicodedata.normalize("NFC", text))


@cache
def _has(letter: str) -> bool:
    if letter.isascii() or letter.isspace():
        return True
    if unicodedata.bidirectional(letter) in ("R", "AL"):
        return False
    return _shape_of(letter) != _shape_of(_NO_LETTER)


def _shape_of(letter: str) -> bytes:
    drawn = Image.new("L", (64, 64))
    ImageDraw.Draw(drawn).text((16, 16), letter, fill=255, font=font(24))
    return drawn.tobytes()


@lru_cache(maxsize=4096)
def length(text: str, face: ImageFont.FreeTypeFont) -> float:
    """Return the width of one line in pixels. The titles of many pictures have the same parts, so lengths are kept."""
    return face.getlength(text)


def shortened(text: str, face: ImageFont.FreeTypeFont, width: float) -> str:
    """Return `text` in letters that can be drawn, cut and ended with "…" if it is wider than `width` pixels.

    If not even "…" fits, return an empty string.
    """
    text = " ".join(drawable(text).split())
    if length(text, face) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if length(text[:middle].rstrip() + "…", face) <= width:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + "…" if length("…", face) <= width else ""


def write(draw: ImageDraw.ImageDraw, place: tuple[float, float], words: str, face: ImageFont.FreeTypeFont) -> None:
    """Write one line in dark letters. `place` is the left end of its middle, in pixels.

    The pixels are those that `ImageDraw.text` writes. The shapes of the last lines are kept, because pictures of one model and method
    have nearly all of their lines in common.
    """
    (x, left), (y, top) = (math.modf(each) for each in place)
    found = _shapes(words, face, x, y)
    if found is not None:
        shapes, (right, down) = found
        draw.bitmap((int(left) + right, int(top) + down), shapes, fill=INK)


@lru_cache(maxsize=256)
def _shapes(words: str, face: ImageFont.FreeTypeFont, x: float, y: float) -> tuple[Image.Image, tuple[int, int]] | None:
    """Return how much of each pixel the letters cover (0 to 255), and the place of the picture's corner beside the line's left middle.

    `x` and `y` are by which part of a pixel the line is moved. Return None for a line without ink.
    """
    margin = 2 * round(face.size)
    drawn = Image.new("L", (math.ceil(length(words, face)) + 2 * margin, 2 * margin))
    ImageDraw.Draw(drawn).text((margin + x, margin + y), words, fill=255, font=face, anchor="lm")
    box = drawn.getbbox()
    return None if box is None else (drawn.crop(box), (box[0] - margin, box[1] - margin))


def line_height(size: int) -> int:
    """Return the height in pixels of a line whose letters have `size` pixels."""
    return round(size * 1.6)


def line(text: str, width: int, size: int = 13, *, centred: bool = False, middle: float | None = None) -> UInt8[np.ndarray, "h w 3"]:
    """Return one line of text, dark on white, `width` pixels wide and about 1.6 · `size` pixels high. A long text is shortened to fit.

    Args:
        text: The words.
        width: The width of the line, in pixels.
        size: The height of the letters, in pixels.
        centred: If it is true, the text is centred; otherwise it begins on the left.
        middle: The column over which a centred text stands. Where the text would leave the line, it stands as near to it as it can. If it
            is None, it is the middle of the line.
    """
    face = font(size)
    margin = min(size // 2, max(0, (width - 1) // 8))
    height = line_height(size)
    strip = Image.new("RGB", (width, height), PAPER)
    words = shortened(text, face, width - 2 * margin)
    half = margin + length(words, face) / 2
    place = width / 2 if middle is None else min(max(middle, half), width - half)
    position = (place, height / 2) if centred else (margin, height / 2)
    ImageDraw.Draw(strip).text(position, words, fill=INK, font=face, anchor="mm" if centred else "lm")
    return np.asarray(strip)


def captioned(
    tiles: UInt8[np.ndarray, "n h w 3"], captions: Sequence[str], size: int = 10, middles: Sequence[float] = ()
) -> UInt8[np.ndarray, "n H w 3"]:
    """Return each tile with its caption above it, in letters of `size` pixels.

    Each caption stands over the column of its tile that `middles` names, or over the middle of the tile if there are none.
    """
    count, height, width = tiles.shape[:3]
    strip = line_height(size)
    whole = np.empty((count, strip + height, width, 3), np.uint8)
    whole[:, :strip] = 255
    whole[:, strip:] = tiles
    for one, caption, place in zip(whole, captions, middles or [width / 2] * count, strict=True):
        if len(caption) > _SHORT:
            one[:strip] = line(caption, width, size, centred=True, middle=place)
        elif (found := _ink(caption, width, size, place)) is not None:
            (top, left), ink = found
            one[top : top + len(ink), left : left + ink.shape[1]] = ink
    return whole


@lru_cache(maxsize=4096)  # a layer has up to a few thousand channels, whose numbers stand above the tiles of many grids
def _ink(caption: str, width: int, size: int, middle: float) -> tuple[tuple[int, int], UInt8[np.ndarray, "h w 3"]] | None:
    """Return the part of a caption's line that is not paper, and its place (top, left) in the line. Return None for a line without ink."""
    strip = line(caption, width, size, centred=True, middle=middle)
    rows, columns = np.nonzero((strip != PAPER).any(axis=-1))
    if not len(rows):
        return None
    top, left = int(rows.min()), int(columns.min())
    return (top, left), strip[top : rows.max() + 1, left : columns.max() + 1].copy()
