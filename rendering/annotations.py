"""Put a title over a picture of a map, and beside it the scale that says which colour stands for which value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw

from rendering import text
from rendering.charts.colour_scale import ColourScale, draw_scale

SEPARATOR = " · "
LEAST_WIDTH, LEAST_BAR = 20, 6  # times the height of the letters: the width of a picture, and the height of the bar of colours
SCALE_WIDTH = 9  # times the height of the letters: the bar of colours and its numbers, such as "≥ −1.23e−05"
SMALLEST_SHARE = 0.7  # the ending and the note are written smaller, down to this share, before they are shortened or wrapped


@dataclass(frozen=True)
class PictureWords:
    """The words of a picture.

    Attributes:
        parts: The words above the picture. They are put into as many lines as they need.
        ending: A line of its own below them, or nothing if it is empty.
        note: Words below the picture that say what its colours mean, in as many lines as they need, or nothing if it is empty.
        letters: The height of the letters, in pixels.
    """

    parts: tuple[str, ...]
    ending: str = ""
    note: str = ""
    letters: int = 13


def letters_for(width: int, height: int | None = None) -> int:
    """Return the height in pixels of the letters of a picture of this width. They can still be read when it is shown at half the size.

    If `height` is given, the letters of a picture that is much wider than high are smaller. Two lines of them are then about as high as a
    quarter of the picture.
    """
    return int(np.clip(width / 30 if height is None else min(width / 30, height / 12), 11, 32))


def annotated_size(height: int, width: int, words: PictureWords, *, scale: bool) -> tuple[int, int]:
    """Return the (height, width) of a picture of `height` × `width` with its words, and with a scale if `scale` is true."""
    letters = words.letters
    inner = max(height, LEAST_BAR * letters) if scale else height
    full = _full_width(width, letters, scale=scale)
    notes, _ = note_lines(words.note, letters, full - letters)
    lines = len(title_lines(words.parts, letters, full - letters)) + bool(words.ending) + len(notes)
    return inner + lines * text.line_height(letters) + (2 * _margin(letters) if scale else 0), full


def annotated(picture: UInt8[np.ndarray, "h w 3"], words: PictureWords, scale: ColourScale | None) -> UInt8[np.ndarray, "H W 3"]:
    """Return the picture with its words, and with the scale on its right if there is one. Its own pixels are as before."""
    height, width = picture.shape[:2]
    letters = words.letters
    full_height, full_width = annotated_size(height, width, words, scale=scale is not None)
    head, foot = _head(words, full_width), _foot(words, full_width)
    sheet = np.empty((full_height, full_width, 3), np.uint8)  # PIL draws the words alone: it would copy the picture three times
    middle = sheet[len(head) : full_height - len(foot)]
    sheet[: len(head)] = head
    sheet[full_height - len(foot) :] = foot
    top = 0 if scale is None else _margin(letters)
    middle[:top] = middle[top + height :] = 255
    middle[top : top + height, :width] = picture
    if width < full_width:
        side = Image.new("RGB", (full_width - width, len(middle)), text.PAPER)
        if scale is not None:
            draw_scale(side, scale, (letters, top), max(height, LEAST_BAR * letters), letters)
        middle[:, width:] = np.asarray(side)
    return sheet


def _head(words: PictureWords, width: int) -> UInt8[np.ndarray, "H W 3"]:
    """Return the lines above a picture."""
    letters, step = words.letters, text.line_height(words.letters)
    lines = [(line, letters) for line in title_lines(words.parts, letters, width - letters)]
    if words.ending:
        lines.append(_fitting(words.ending, width - letters, letters))
    return _written(lines, step, letters, width)


def _foot(words: PictureWords, width: int) -> UInt8[np.ndarray, "H W 3"]:
    """Return the lines below a picture."""
    letters, step = words.letters, text.line_height(words.letters)
    lines, size = note_lines(words.note, letters, width - letters)
    return _written([(line, size) for line in lines], step, letters, width)


def _written(lines: Sequence[tuple[str, int]], step: int, letters: int, width: int) -> UInt8[np.ndarray, "H W 3"]:
    """Return lines of words and the heights of their letters, `step` pixels each."""
    strip = Image.new("RGB", (width, step * len(lines)), text.PAPER)
    draw = ImageDraw.Draw(strip)
    for number, (line, size) in enumerate(lines):
        text.write(draw, (letters // 2, step * number + step / 2), line, text.font(size))
    return np.asarray(strip)


def _margin(letters: int) -> int:
    return max(2, letters // 3)


def _full_width(width: int, letters: int, *, scale: bool) -> int:
    return max(width + (letters + round(SCALE_WIDTH * letters) if scale else 0), LEAST_WIDTH * letters)


def title_lines(parts: Sequence[str], letters: int, room: float) -> list[str]:
    """Return the parts of a title in lines of at most `room` pixels. A part that is wider than a line is shortened."""
    face, lines = text.font(letters), [""]
    for part in map(text.drawable, parts):
        joined = f"{lines[-1]}{SEPARATOR}{part}" if lines[-1] else part
        if lines[-1] and text.length(joined, face) > room:
            lines.append(part)
        else:
            lines[-1] = joined
    return [text.shortened(line, face, room) for line in lines if line]


def note_lines(note: str, letters: int, room: float) -> tuple[list[str], int]:
    """Return the lines of a note and the height of their letters. A note that does not fit into one line is wrapped between words."""
    if not note:
        return [], letters
    fitting, size = _fitting(note, room, letters)
    if fitting == text.drawable(note):
        return [fitting], size
    face, lines = text.font(size), [""]
    for word in text.drawable(note).split():
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if lines[-1] and text.length(joined, face) > room:
            lines.append(word)
        else:
            lines[-1] = joined
    return [text.shortened(line, face, room) for line in lines], size


def _fitting(line: str, room: float, letters: int) -> tuple[str, int]:
    """Return the line and the height of letters with which it fits into `room` pixels."""
    line = text.drawable(line)
    sizes: Sequence[int] = range(letters, max(8, round(SMALLEST_SHARE * letters)) - 1, -1)
    size = next((size for size in sizes if text.length(line, text.font(size)) <= room), sizes[-1])
    return text.shortened(line, text.font(size), room), size
