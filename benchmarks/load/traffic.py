"""The callers, for locust. Each waits for its answer, and begins a call each `BENCH_PACING` seconds if its last one has ended by then.

`BENCH_TRAFFIC` is the kind of traffic: `grad_cam`, `activations` or `mixed`. Every photo is a new file, except in the repeated calls of
`mixed`.
"""

from __future__ import annotations

import itertools
import os
import random
from time import perf_counter

import gevent
from locust import FastHttpUser, task

from benchmarks.load.call_pace import CallPace
from benchmarks.load.calls import FIELDS, MIX
from benchmarks.noisy_photos import noisy_photos

_KIND, _PACING = os.environ.get("BENCH_TRAFFIC", "grad_cam"), float(os.environ.get("BENCH_PACING", "1"))
_PHOTOS = noisy_photos(32, os.getpid())
_numbers = itertools.count()
# Making the photos took time, and gevent counts from the time that it last looked at.
gevent.get_hub().loop.update_now()


def new_photo() -> bytes:
    """Return a JPEG file that no other call sends: one of the photos with a comment of its own."""
    comment = f"{os.getpid()} {next(_numbers)}".encode()
    photo = random.choice(_PHOTOS)  # noqa: S311 - it decides nothing secret
    return photo[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + photo[2:]


class LoadCaller(FastHttpUser):
    """A caller of the one-line form."""

    network_timeout = connection_timeout = 120.0

    def on_start(self) -> None:
        """Begin at a random moment, so that the callers do not call all at once."""
        delay = random.uniform(0, _PACING)  # noqa: S311 - it decides nothing secret
        self._pace = CallPace(_PACING, perf_counter() + delay)
        gevent.sleep(delay)

    def wait_time(self) -> float:
        """Return the seconds until the next call."""
        return self._pace.wait(perf_counter())

    @task
    def call(self) -> None:
        """Make one call of the traffic."""
        kind = random.choices(list(MIX), list(MIX.values()))[0] if _KIND == "mixed" else _KIND  # noqa: S311 - as above
        method, photo = ("grad_cam", _PHOTOS[0]) if kind == "repeated" else (kind, new_photo())
        accept = "application/json" if method == "predict" else "image/png"
        files = {"image": ("photo.jpg", photo, "image/jpeg")}
        self.client.post(f"/v1/{method}", data=FIELDS[method], files=files, headers={"Accept": accept}, name=kind)
