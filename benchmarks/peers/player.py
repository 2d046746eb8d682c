"""The program of one family's process. It reads one request a line from stdin and answers with one line of JSON.

The requests are `names KIND`, `versions`, `prepare WORK NAME`, `time`, `value FILE` and `drop`, as lists of JSON. What the libraries print
goes to stderr. A request that fails is answered with `{"error": message}`.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers import offers
from benchmarks.peers.work import Given, PeerWork


class Player:
    """Holds one prepared call of a family at a time for each name.

    Args:
        modules: the modules of `benchmarks.peers` that register the family's implementations. The first one has `VERSIONS`.
        given: the weights and photos that all processes share.
    """

    def __init__(self, modules: Sequence[str], given: Given) -> None:
        self._module = importlib.import_module(f"benchmarks.peers.{modules[0]}")
        for module in modules[1:]:
            importlib.import_module(f"benchmarks.peers.{module}")
        self._given = given
        self._calls: dict[str, offers.Call] = {}
        self._last: object = None

    def answer(self, request: list[Any]) -> object:
        """Carry out one request and return its answer."""
        match request:
            case ["names", str(kind)]:
                return offers.names_for(kind)
            case ["versions"]:
                return self._module.VERSIONS
            case ["give", str(model)]:
                return self._module.give(model, self._given)
            case ["prepare", dict(work), str(name)]:
                call = offers.set_up(PeerWork(**work), name, self._given)
                call()  # functions are compiled
                self._calls[name] = call
            case ["time", str(name)]:
                began, processor = time.perf_counter(), time.process_time()
                self._last = self._calls[name]()
                return time.perf_counter() - began, time.process_time() - processor
            case ["value", str(file)]:
                np.save(file, np.asarray(self._last))
            case ["drop"]:
                self._calls.clear()
                gc.collect()
            case _:
                raise ValueError(f"There is no such request: {request}")
        return None


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.player", description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder with what all processes are given")
    parser.add_argument("modules", nargs="+", help="the modules of the family")
    arguments = parser.parse_args()
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    player = Player(arguments.modules, Given(arguments.folder))
    for line in sys.stdin:
        try:
            answer = player.answer(json.loads(line))
        except Exception as error:
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers)


if __name__ == "__main__":
    main()
