"""A comparison is written as medians, and as ratios to convscope."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.peers import compared
from benchmarks.peers.compared import ComparedTimes, earlier_rows, write
from benchmarks.peers.work import PeerWork

_ROW = ComparedTimes(
    PeerWork("rise", "mobilenet_v2", 1, 50),
    {"convscope": [(0.2, 0.1), (0.4, 0.1), (0.3, 0.1)], "Xplique": [(0.6, 0.25)]},
    "2026-11-28T12:00:00+00:00",
)


def test_the_ratios_are_those_of_the_medians() -> None:
    assert _ROW.milliseconds("convscope") == pytest.approx((300, 100))
    assert _ROW.ratios("Xplique") == pytest.approx((2, 2.5))


def test_a_time_is_that_of_one_image() -> None:
    assert ComparedTimes(PeerWork("grad_cam", "resnet50", 8), {"convscope": [(0.8, 1.6)]}, "").milliseconds("convscope") == pytest.approx(
        (100, 200)
    )


def test_written_rows_can_be_read_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compared, "RESULTS", tmp_path)
    assert earlier_rows() == []
    text = write([_ROW], {"Xplique": "2.0.2"}, "It was a brief run.")
    assert "| RISE, 50 masks | mobilenet_v2 | 1 | Xplique | 1 | 600.0 | 250.0 | 2.00 | 2.50 |" in text
    assert "It was a brief run." in text
    assert "Xplique 2.0.2" in text
    assert earlier_rows() == [_ROW]
    assert (tmp_path / "peers.md").read_text("utf-8") == text
