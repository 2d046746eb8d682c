"""Load a convscope for a time with jobs of varying kinds, and print how much it has grown for 1,000 jobs beside what it may grow.

The exit status is 1 if something has grown more. With `--write`, the figures replace those of the last run in docs/reliability.md.

Example:
    python -m benchmarks.soak_drill --minutes 30
"""

from __future__ import annotations

import argparse
import sys
import time

from benchmarks.fault_drill.__main__ import figures_of
from benchmarks.fault_drill.report import keep, write_page
from benchmarks.soak_drill.drill import soak


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak_drill", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30, help="the minutes under load")
    parser.add_argument("--write", action="store_true", help="keep the figures and write docs/reliability.md")
    arguments = parser.parse_args()
    drill, began = soak(arguments.minutes), time.monotonic()
    figures = figures_of(drill, short=False)
    if arguments.write:
        keep(drill, figures, time.monotonic() - began, short=False)
        write_page()
    return 0 if not isinstance(figures, str) and all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
