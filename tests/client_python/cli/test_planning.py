"""A second run does what is missing, and the files of two photos never meet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from convscope.cli.failing import CommandError
from convscope.cli.folder_lock import locked_folder
from convscope.cli.manifest import Manifest
from convscope.cli.photos import FoundPhoto
from convscope.cli.planning import RunRequest, candidates, plan_run
from convscope.cli.save_choice import SaveChoice

_REQUEST = RunRequest("grad_cam", "vgg16", {"alpha": 0.5})


class _Run:
    """A folder of results with the rows of photos that a test adds."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.out = folder, folder / "out"
        self.out.mkdir()

    def photo(self, name: str, content: str = "x") -> str:
        (self.folder / name).write_text(content)
        return str(self.folder / name)

    def add(self, name: str, *, state: str = "succeeded", request: RunRequest = _REQUEST, place: str | None = None) -> None:
        path, output = Path(self.photo(name)), place or name
        files = [f"{output}.overlay.png"] if state == "succeeded" else []
        for file in files:
            (self.out / file).touch()
        stamp = [path.stat().st_size, path.stat().st_mtime_ns]
        manifest = Manifest(self.out)
        row = {"photo": str(path), "output": output, "stamp": stamp, "state": state, "files": files, "save": ["png"]}
        manifest.add(row | request.fields)
        manifest.close()

    def plan(self, *names: str, save: str = "png", request: RunRequest = _REQUEST, retry_failed: bool = False) -> Any:
        wanted = [(str(self.folder / name), name) for name in names]
        plan = plan_run(Manifest(self.out), self.out, request, SaveChoice.read(save), wanted, retry_failed=retry_failed)
        return tuple([item.output for item in items] for items in (plan.to_do, plan.done, plan.failed_before))


@pytest.fixture
def run(tmp_path: Path) -> _Run:
    return _Run(tmp_path)


def test_what_is_done_is_not_done_again(run: _Run) -> None:
    run.add("a.jpg")
    run.add("b.jpg", state="failed")
    run.photo("c.jpg")
    assert run.plan("a.jpg", "b.jpg", "c.jpg") == (["c.jpg"], ["a.jpg"], ["b.jpg"])
    assert run.plan("a.jpg", "b.jpg", "c.jpg", retry_failed=True) == (["b.jpg", "c.jpg"], ["a.jpg"], [])


def test_a_photo_is_done_again_if_it_has_changed_or_a_file_is_missing_or_more_is_saved(run: _Run) -> None:
    run.add("a.jpg")
    assert run.plan("a.jpg", save="png,npy") == (["a.jpg"], [], [])
    run.photo("a.jpg", "another photo")
    assert run.plan("a.jpg") == (["a.jpg"], [], [])
    run.add("b.jpg")
    (run.out / "b.jpg.overlay.png").unlink()
    assert run.plan("b.jpg") == (["b.jpg"], [], [])


def test_results_of_another_request_are_not_mixed_in(run: _Run) -> None:
    other = RunRequest("grad_cam", "vgg16", {"alpha": 0.7})
    run.add("a.jpg", state="failed", request=other)
    assert run.plan("a.jpg") == (["a.jpg"], [], [])
    run.add("b.jpg")
    with pytest.raises(CommandError, match=r"params \{'alpha': 0.5\}, now \{'alpha': 0.7\}"):
        run.plan("b.jpg", request=other)


def test_a_place_that_another_photo_has_is_not_taken(run: _Run) -> None:
    run.add("other.jpg", place="a.jpg")
    run.photo("a.jpg")
    ((output,), _, _) = run.plan("a.jpg")
    assert output.startswith("a~")
    assert output.endswith(".jpg")
    assert run.plan("a.jpg") == ([output], [], [])


def test_half_a_row_at_the_end_is_dropped_and_a_wrong_line_is_named(run: _Run) -> None:
    run.add("a.jpg")
    manifest = run.out / "manifest.jsonl"
    whole = manifest.read_text()
    manifest.write_text(whole + whole[:40])
    assert run.plan("a.jpg") == ([], ["a.jpg"], [])
    run.add("b.jpg")
    assert run.plan("a.jpg", "b.jpg") == ([], ["a.jpg", "b.jpg"], [])
    manifest.write_text(whole + "{}\n")
    with pytest.raises(CommandError, match=r"Line 2 of .* is no row"):
        run.plan("a.jpg")


def test_failures_are_listed_beside_the_manifest_as_long_as_there_are_any(run: _Run) -> None:
    run.add("a.jpg", state="failed")
    assert (run.out / "failed.jsonl").read_text() == (run.out / "manifest.jsonl").read_text()
    run.add("a.jpg")
    assert not (run.out / "failed.jsonl").exists()
    assert len((run.out / "manifest.jsonl").read_text().splitlines()) == 1


def test_methods_read_one_photo_or_several_or_none() -> None:
    photos = [FoundPhoto(Path("/p/a.jpg"), "a.jpg"), FoundPhoto(Path("/p/b.jpg"), "b.jpg")]
    assert candidates("grad_cam", photos) == [("/p/a.jpg", "a.jpg"), ("/p/b.jpg", "b.jpg")]
    assert candidates("top_patches", photos) == [(["/p/a.jpg", "/p/b.jpg"], "top_patches")]
    assert candidates("filters", []) == [(None, "filters")]
    with pytest.raises(CommandError, match="filters looks at no photo"):
        candidates("filters", photos)
    with pytest.raises(CommandError, match="grad_cam needs photos"):
        candidates("grad_cam", [])


def test_two_runs_do_not_share_a_folder_and_half_files_are_cleared(run: _Run) -> None:
    (run.out / "a").mkdir()
    (run.out / "a" / ".convscope-k3xs").touch()
    with locked_folder(run.out):
        assert not (run.out / "a" / ".convscope-k3xs").exists()
        with pytest.raises(CommandError, match="Another run writes to"), locked_folder(run.out):
            pass
