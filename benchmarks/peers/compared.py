"""Write what a comparison has found, as JSON and Markdown."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from benchmarks.peers.work import PeerWork
from benchmarks.this_machine import RESULTS, this_machine

_OURS = "convscope"
_ABOUT = (
    "Median milliseconds for an image, or for a channel of `filters`, over rounds in which the implementations take turns. The ratios are "
    "the time, and the processor time, over convscope's in float32. Other work on the machine changes the first much more than the second. "
    "*The convolutions alone* are no library: they are the least that filters must compute."
)


@dataclass(frozen=True)
class ComparedTimes:
    """The times of one piece of work, by the name of the implementation. convscope is the first.

    Args:
        work: the piece of work.
        seconds: for each call, its time and the processor time of its process in it, in seconds.
        at: when they were measured.
    """

    work: PeerWork
    seconds: dict[str, list[tuple[float, float]]]
    at: str

    def milliseconds(self, name: str) -> tuple[float, float]:
        """Return the median time and the median processor time of an implementation for an image, in milliseconds."""
        clock, processor = (1000 * statistics.median(column) / self.work.images for column in zip(*self.seconds[name], strict=True))
        return clock, processor

    def ratios(self, name: str) -> tuple[float, float]:
        """Return the implementation's median time over convscope's, and the same for the processor time."""
        clock, processor = self.milliseconds(name)
        our_clock, our_processor = self.milliseconds(_OURS)
        return clock / our_clock, processor / our_processor


def earlier_rows() -> list[ComparedTimes]:
    """Return the rows that are in `results/peers.json` now."""
    try:
        content = json.loads((RESULTS / "peers.json").read_text("utf-8"))
    except FileNotFoundError:
        return []
    rows: list[ComparedTimes] = []
    for row in content["rows"]:
        seconds = {name: [(clock, processor) for clock, processor in spent] for name, spent in row["seconds"].items()}
        rows.append(ComparedTimes(PeerWork(**row["work"]), seconds, row["at"]))
    return rows


def write(rows: Sequence[ComparedTimes], versions: Mapping[str, str], note: str) -> str:
    """Write the rows to `results/peers.json` and `results/peers.md`, and return the Markdown."""
    machine = this_machine()
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    lines = [
        f"{_ABOUT} {note}".rstrip(),
        "",
        f"{machine.processor}, {machine.cores} cores; {named}; {machine.at}.",
        "",
        "| work | model | images | implementation | rounds | ms | processor ms | ratio | processor ratio |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        head = f"| {row.work.title} | {row.work.model} | {row.work.images}"
        for name, spent in row.seconds.items():
            (clock, processor), (ratio, processor_ratio) = row.milliseconds(name), row.ratios(name)
            lines.append(f"{head} | {name} | {len(spent)} | {clock:,.1f} | {processor:,.1f} | {ratio:.2f} | {processor_ratio:.2f} |")
    text = "\n".join(lines) + "\n"
    stored = [asdict(row) | {"processor_ratios": {name: round(row.ratios(name)[1], 3) for name in row.seconds}} for row in rows]
    content = {**asdict(machine), "versions": dict(versions), "note": note, "rows": stored}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "peers.json").write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    (RESULTS / "peers.md").write_text(text, "utf-8")
    return text
