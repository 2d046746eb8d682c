"""Files, folders, patterns and lists become photos with places that no two of them share."""

from __future__ import annotations

from pathlib import Path

import pytest

from convscope.cli.failing import CommandError
from convscope.cli.photos import find_photos

_FILES = ("train/cat/1.jpg", "train/dog/1.jpg", "train/dog/1.PNG", "test/1.jpg", "train/notes.txt", "train/.hidden.jpg", "train/out/1.jpg")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in _FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def places(folder: Path, *arguments: str, listed: str = "") -> dict[str, str]:
    photos = find_photos(arguments, lambda: listed, folder / "train" / "out")
    return {photo.place: photo.path.relative_to(folder).as_posix() for photo in photos}


def test_a_folder_is_mirrored_without_what_is_no_photo(folder: Path) -> None:
    assert list(places(folder, "train")) == ["cat/1.jpg", "dog/1.PNG", "dog/1.jpg"]


def test_several_folders_lie_side_by_side(folder: Path) -> None:
    assert list(places(folder, "train/dog", "test")) == ["train/dog/1.PNG", "train/dog/1.jpg", "test/1.jpg"]


def test_files_and_patterns_keep_the_folders_in_which_they_differ(folder: Path) -> None:
    expected = {"cat/1.jpg": "train/cat/1.jpg", "dog/1.jpg": "train/dog/1.jpg"}
    assert places(folder, "train/cat/1.jpg", "train/dog/1.jpg", "./train/cat/1.jpg") == expected
    assert places(folder, "train/[cd]*/*.jpg") == expected
    assert places(folder, "train/notes.txt") == {"notes.txt": "train/notes.txt"}


@pytest.mark.parametrize("end", ["\n", "\0"])
def test_a_list_names_files_that_need_not_be_there(folder: Path, end: str) -> None:
    assert list(places(folder, "-", listed=end.join(["train/cat/1.jpg", "train/gone.jpg", ""]))) == ["cat/1.jpg", "gone.jpg"]


def test_a_name_that_leads_to_nothing_is_an_error(folder: Path) -> None:
    with pytest.raises(CommandError, match="no file or folder 'trian'"):
        places(folder, "trian")
    with pytest.raises(CommandError, match=r"pattern 'train/\*\.gif'"):
        places(folder, "train/*.gif")
