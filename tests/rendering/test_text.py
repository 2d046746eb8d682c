from __future__ import annotations

import sys

import numpy as np
import pytest
from PIL import Image, ImageDraw

from rendering import text


def ink(picture: np.ndarray) -> np.ndarray:
    """Return where a picture has another colour than the paper."""
    return (picture != text.PAPER).any(axis=2)


def test_what_fits_stays_as_it_is() -> None:
    assert text.shortened("tabby cat", text.font(13), 400) == "tabby cat"


def test_what_does_not_fit_ends_in_an_ellipsis_and_is_as_long_as_can_be() -> None:
    face, words = text.font(13), "a very long label that goes on and on"
    for width in (40, 91, 150):
        short = text.shortened(words, face, width)
        kept = short.removesuffix("…")
        assert short.endswith("…")
        assert words.startswith(kept)
        assert face.getlength(short) <= width < face.getlength(words[: len(kept) + 2] + "…")


def test_no_room_no_words() -> None:
    assert text.shortened("label", text.font(13), 3) == ""


def test_line_breaks_and_runs_of_space_become_one_space() -> None:
    assert text.shortened("a\n  b\tc", text.font(13), 400) == "a b c"


def test_letters_of_other_alphabets_have_shapes_of_their_own() -> None:
    shapes = {text.line(letter, 40).tobytes() for letter in "×σЖéA"}
    missing = text.line("\U0010ffff", 40).tobytes()
    assert len(shapes) == 5
    assert missing not in shapes


def test_a_line_is_not_clipped() -> None:
    for words in ("Égyptian gjpqy|", "x" * 200, ""):
        for width in (1, 12, 30, 300):
            marks = ink(text.line(words, width, 13))
            assert marks.shape == (21, width)
            if width >= 30:
                assert not marks[0].any()
                assert not marks[-1].any()
                assert not marks[:, 0].any()
                assert not marks[:, -1].any()


def test_captions_stand_above_their_tiles() -> None:
    tiles = np.full((2, 5, 40, 3), 9, np.uint8)
    made = text.captioned(tiles, ["1", "23"], size=10)
    assert made.shape == (2, 16 + 5, 40, 3)
    np.testing.assert_array_equal(made[:, 16:], tiles)
    for tile, caption in zip(made, ("1", "23"), strict=True):
        columns = np.flatnonzero(ink(tile[:16]).any(axis=0))
        assert abs((columns.min() + columns.max()) / 2 - 19.5) <= 2
        np.testing.assert_array_equal(tile[:16], text.line(caption, 40, 10, centred=True))


def test_the_plotting_library_itself_is_not_imported() -> None:
    import subprocess

    code = """
import sys
from rendering import text
from rendering.charts import class_bars, correlations, curves, values
from rendering.overlays import blend, diverging, dlwp1, keras_io
text.line("x", 20)
sys.exit("matplotlib" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("tabby cat", "tabby cat"),
        ("Égyptian σ Ж → − ≥ …", "Égyptian σ Ж → − ≥ …"),
        ("埃及猫 (285)", "AiJiMao (285)"),
        ("고양이", "GoYangI"),
        ("חתול", "htvl"),  # the font has these letters, but they would stand in the wrong order
        ("a\ue000b", "aU+E000b"),
        ("e\N{COMBINING ACUTE ACCENT}", "é"),
    ],
)
def test_letters_that_the_font_lacks_become_latin_ones(words: str, expected: str) -> None:
    assert text.drawable(words) == expected


def test_no_letter_is_drawn_as_a_box() -> None:
    assert (text.line("猫", 60) == text.line("Mao", 60)).all()
    assert text.shortened("猫" * 40, text.font(13), 90).startswith("MaoMao")


@pytest.mark.parametrize("place", [(7, 20), (6, 20.4), (3.25, 18.75), (-2.5, 9.5)])
@pytest.mark.parametrize("words", ["Grad-CAM · Éjgq_|", "p = 0.07", " ", ""])
def test_lines_are_written_as_pillow_writes_them(place: tuple[float, float], words: str) -> None:
    for paper in [text.PAPER, (10, 200, 90)] * 2:
        expected, got = Image.new("RGB", (160, 40), paper), Image.new("RGB", (160, 40), paper)
        ImageDraw.Draw(expected).text(place, words, fill=text.INK, font=text.font(13), anchor="lm")
        text.write(ImageDraw.Draw(got), place, words, text.font(13))
        assert got.tobytes() == expected.tobytes()


@pytest.mark.parametrize(("words", "middle", "found"), [("ab", 60, 60), ("ab", 2, None), ("a longer caption", 60, None), ("ab", 199, None)])
def test_a_caption_stands_over_its_column_or_as_near_to_it_as_it_fits(words: str, middle: float, found: float | None) -> None:
    columns = np.flatnonzero(ink(text.line(words, 200, 20, centred=True, middle=middle)).any(axis=0))
    centre = (columns.min() + columns.max() + 1) / 2
    if found is not None:
        assert abs(centre - found) <= 2
    elif middle < 100:
        assert 9 <= columns.min() <= 13  # the margin is 10 pixels
    else:
        assert 187 <= columns.max() <= 191


def test_each_tile_can_have_its_caption_over_another_column() -> None:
    made = text.captioned(np.full((2, 5, 90, 3), 9, np.uint8), ["1", "1"], 10, [20, 70])
    assert [round(float(np.flatnonzero(ink(tile[:16]).any(axis=0)).mean())) for tile in made] == [20, 70]


def test_captions_are_the_lines_that_are_drawn_for_each_of_them() -> None:
    """Short captions are kept. They are the same words in letters and tiles of several sizes, and each is written twice."""
    captions = ["7", "1279", "", "gÉ", "7", "285 Egyptian cat"]
    rng = np.random.default_rng(0)
    for height, width, size in [(9, 42, 10), (9, 43, 10), (20, 43, 16), (5, 12, 10)] * 2:
        tiles = rng.integers(0, 256, (len(captions), height, width, 3), np.uint8)
        made = text.captioned(tiles, captions, size)
        for one, tile, caption in zip(made, tiles, captions, strict=True):
            np.testing.assert_array_equal(one, np.concatenate([text.line(caption, width, size, centred=True), tile]))


def test_each_tile_needs_a_caption() -> None:
    with pytest.raises(ValueError, match="zip"):
        text.captioned(np.zeros((2, 5, 9, 3), np.uint8), ["1"])
