"""Labels are read from a text file or from ImageNet, and must fit the model."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import ModelLoadFailed
from workers.models.labels import load_labels


def test_a_text_file_has_one_label_per_line(tmp_path: Path) -> None:
    file = tmp_path / "labels.txt"
    file.write_bytes("\ufeffKatze\r\n Hund \nVögel, klein\n\n".encode())
    assert load_labels(file, 3) == ("Katze", "Hund", "Vögel, klein")


def test_no_labels() -> None:
    assert load_labels(None, 7) == ()


def test_labels_that_do_not_fit_are_refused_without_the_path(tmp_path: Path) -> None:
    file = tmp_path / "labels.txt"
    file.write_text("a\nb\n")
    with pytest.raises(ModelLoadFailed, match=r"'labels.txt' name 2 classes, but the model has 3"):
        load_labels(file, 3)
    with pytest.raises(ModelLoadFailed, match="no class output"):
        load_labels(file, None)
    with pytest.raises(ModelLoadFailed, match="1000 classes, but the model has 10"):
        load_labels("imagenet", 10)
    with pytest.raises(ModelLoadFailed, match=r"^The labels file 'gone.txt' is not in the models folder\.$"):
        load_labels(tmp_path / "gone.txt", 3)
    file.write_bytes(b"caf\xe9\n")
    with pytest.raises(ModelLoadFailed, match="not UTF-8"):
        load_labels(file, 1)


def test_one_sigmoid_unit_takes_a_label_for_each_answer(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("dog\ncat\n")
    assert load_labels(path, 2, "binary") == ("dog", "cat")
    path.write_text("cat\n")
    assert load_labels(path, 2, "binary") == ("not cat", "cat")
    path.write_text("dog\ncat\nbird\n")
    with pytest.raises(ModelLoadFailed, match="name 3 classes, but the model has 2"):
        load_labels(path, 2, "binary")
