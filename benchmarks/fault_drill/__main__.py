"""Make each fault that convscope promises to survive, and print the measured figures beside the promises.

The exit status is 1 if a promise is missed. With `--write`, the figures of each fault replace those
of its last run in docs/reliability.md.

Example:
    python -m benchmarks.fault_drill --only worker-kills redis-stall
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from benchmarks.fault_drill.registry import Fault, FaultSkipped, Figure, all_faults
from benchmarks.fault_drill.report import keep, write_page


def main() -> int:
    faults = all_faults()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fault_drill", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(faults), default=list(faults), help="the faults to make; all by default")
    parser.add_argument("--short", action="store_true", help="fewer repetitions and shorter times, as in CI")
    parser.add_argument("--write", action="store_true", help="keep the figures and write docs/reliability.md")
    arguments = parser.parse_args()
    missed = 0
    for name in arguments.only:
        began = time.monotonic()
        figures = figures_of(faults[name], short=arguments.short)
        missed += 0 if isinstance(figures, str) else sum(not figure.holds for figure in figures)
        if arguments.write:
            keep(faults[name], figures, time.monotonic() - began, short=arguments.short)
            write_page()
    print(f"{missed} promises were missed." if missed else "Every promise that was tried holds.", flush=True)
    return 1 if missed else 0


def figures_of(fault: Fault, *, short: bool) -> Sequence[Figure] | str:
    """Make a fault and return its figures, or the reason why it was not tried. A drill that breaks off is a missed promise."""
    began = time.monotonic()
    print(f"\n{fault.name}: {fault.title}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        try:
            figures = asyncio.run(fault.run(Path(folder), short))
        except FaultSkipped as skipped:
            print(f"  not tried: {skipped}", flush=True)
            return str(skipped)
        except Exception as error:
            traceback.print_exc()
            figures = [Figure("the drill itself", "runs to its end", f"{type(error).__name__}", holds=False)]
    for figure in figures:
        print(f"  {figure}", flush=True)
    print(f"  ({time.monotonic() - began:.0f} s)", flush=True)
    return figures


if __name__ == "__main__":
    sys.exit(main())
