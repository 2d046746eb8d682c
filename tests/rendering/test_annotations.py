from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from rendering import colormaps, text
from rendering.annotations import PictureWords, annotated, annotated_size, letters_for, note_lines, title_lines
from rendering.charts.colour_scale import ColourScale, draw_scale

PICTURE = np.random.default_rng(0).integers(0, 256, (90, 300, 3), np.uint8)
SCALE = ColourScale(colormaps.table("viridis"), ((0.0, "0"), (1.0, "0.5")))


def place_of(picture: np.ndarray, sheet: np.ndarray) -> int:
    """Return the row of the sheet at which the picture begins, at its left edge."""
    height, width = picture.shape[:2]
    rows = [row for row in range(len(sheet) - height + 1) if (sheet[row : row + height, :width] == picture).all()]
    assert len(rows) == 1
    return rows[0]


@pytest.mark.parametrize("scale", [None, SCALE])
@pytest.mark.parametrize("words", [PictureWords(("Method",)), PictureWords(("Method", "layer"), "cat (1) · 50%", "red: for it", 20)])
def test_the_picture_is_unchanged_inside_and_the_size_is_known_before(words: PictureWords, scale: ColourScale | None) -> None:
    sheet = annotated(PICTURE, words, scale)
    assert sheet.shape[:2] == annotated_size(90, 300, words, scale=scale is not None)
    top = place_of(PICTURE, sheet)
    assert top >= text.line_height(words.letters) * (2 if words.ending else 1)
    below = len(sheet) - top - 90
    assert below >= text.line_height(words.letters) if words.note else below < text.line_height(words.letters)


def test_the_bar_has_the_largest_value_on_top_and_is_as_high_as_the_picture() -> None:
    sheet = annotated(PICTURE, PictureWords(("Method",)), SCALE)
    top, inside = place_of(PICTURE, sheet), 300 + 13 + 5
    np.testing.assert_array_equal(sheet[top, inside], SCALE.colours[255])
    np.testing.assert_array_equal(sheet[top + 89, inside], SCALE.colours[0])
    np.testing.assert_array_equal(sheet[top + 45, inside], SCALE.colours[round(255 * (89 - 45) / 89)])


def test_a_small_picture_gets_room_for_its_words_and_a_bar_that_can_be_read() -> None:
    sheet = annotated(np.zeros((8, 8, 3), np.uint8), PictureWords(("Method",), letters=11), SCALE)
    assert sheet.shape[1] >= 200
    assert (sheet != 255).any(axis=2)[:, 25].sum() >= 66  # the bar


def test_long_titles_take_more_lines_and_no_letter_is_cut_at_the_edge() -> None:
    parts = ("Grad-CAM++", "a_model_with_a_long_name", "block12_expand_activation", "block13_expand_activation", "x" * 400)
    words = PictureWords(parts, "a label that is so long that it has to be written smaller and at last is cut (123) · 50.0%", letters=13)
    sheet = annotated(PICTURE, words, None)
    assert len(sheet) == 90 + 5 * text.line_height(13)
    assert (sheet[: place_of(PICTURE, sheet), -6:] == 255).all()


def test_letters_grow_with_the_picture() -> None:
    assert [letters_for(width) for width in (32, 450, 4000)] == [11, 15, 32]


def test_the_letters_of_a_wide_and_low_picture_are_smaller() -> None:
    assert [letters_for(1038, height) for height in (128, 258, 1038)] == [11, 21, 32]  # 258 / 12 = 21.5, and 1,038 / 30 = 34.6


def test_the_longest_number_of_a_scale_fits() -> None:
    scale = ColourScale(colormaps.table("viridis"), ((0.0, "≤ −2.76e−05"), (1.0, "≥ 2.76e−05")))
    for letters in (11, 15, 32):
        sheet = annotated(np.zeros((30 * letters, 30 * letters, 3), np.uint8), PictureWords(("Method",), letters=letters), scale)
        assert (sheet[:, -2:] == 255).all()


def test_a_title_in_another_script_is_written_in_latin_letters() -> None:
    chinese, latin = (PictureWords(("Grad-CAM", words), f"{words} · 50%", f"{words}: yes") for words in ("埃及猫", "AiJiMao"))
    np.testing.assert_array_equal(annotated(PICTURE, chinese, None), annotated(PICTURE, latin, None))


def test_a_long_note_is_wrapped_and_none_of_its_words_is_cut() -> None:
    note = "each channel around its own mean, so channels cannot be compared · grey: nearly the same everywhere"
    lines, size = note_lines(note, 11, 209)
    assert " ".join(lines) == note
    assert len(lines) > 1
    assert size == 8
    assert all(text.length(line, text.font(size)) <= 209 for line in lines)
    small = annotated(np.zeros((30, 30, 3), np.uint8), PictureWords(("Method",), note=note, letters=11), None)
    assert len(small) == 30 + text.line_height(11) * (1 + len(lines))
    assert note_lines("red: for it", 11, 209) == (["red: for it"], 11)
    assert note_lines("", 11, 209) == ([], 11)


@pytest.mark.parametrize("scale", [None, SCALE])
@pytest.mark.parametrize("letters", [11, 20])
@pytest.mark.parametrize("ending", ["", "cat (1) · 50%"])
@pytest.mark.parametrize("note", ["", "green: the whole colour, " * 8])
@pytest.mark.parametrize("shape", [(90, 300, 3), (30, 500, 3), (200, 20, 3)])
def test_a_picture_with_words_is_what_is_drawn_on_one_sheet(
    scale: ColourScale | None, letters: int, ending: str, note: str, shape: tuple[int, int, int]
) -> None:
    picture = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    words = PictureWords(("Méthod", "a model with a long name", "base/block3/gé"), ending, note, letters)
    height, width = annotated_size(*shape[:2], words, scale=scale is not None)
    sheet = Image.new("RGB", (width, height), text.PAPER)
    draw, step = ImageDraw.Draw(sheet), text.line_height(letters)
    lines = title_lines(words.parts, letters, width - letters) + ([ending] if ending else [])
    notes, size = note_lines(note, letters, width - letters)
    for number, line in enumerate(lines):
        draw.text((letters // 2, (number + 0.5) * step), line, fill=text.INK, font=text.font(letters), anchor="lm")
    for number, line in enumerate(notes):
        middle = height - (len(notes) - number - 0.5) * step
        draw.text((letters // 2, middle), line, fill=text.INK, font=text.font(size), anchor="lm")
    top = step * len(lines)
    if scale is not None:
        top += max(2, letters // 3)
        draw_scale(sheet, scale, (shape[1] + letters, top), max(shape[0], 6 * letters), letters)
    sheet.paste(Image.fromarray(picture), (0, top))
    np.testing.assert_array_equal(annotated(picture, words, scale), np.asarray(sheet))
