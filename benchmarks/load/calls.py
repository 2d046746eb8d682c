"""The calls of the traffic, and making convscope ready for them."""

from __future__ import annotations

import time

import httpx

from benchmarks.engine_alone import MODEL
from benchmarks.noisy_photos import noisy_photos

MIX = {"grad_cam": 60, "activations": 20, "predict": 10, "repeated": 5, "smooth_grad": 5}
"""The shares of `mixed`, in percent. `repeated` is a Grad-CAM that was answered before, and `smooth_grad` is a slow job of 8 samples."""

FIELDS = {
    "grad_cam": {"model": MODEL},
    "activations": {"model": MODEL, "layer": "block2_expand_conv"},
    "predict": {"model": MODEL},
    "smooth_grad": {"model": MODEL, "samples": "8"},
}
"""The form fields of each method."""

_SECONDS = 300.0


def warm_up(url: str, rounds: int) -> None:
    """Call each method until it answers, `rounds` times with new photos, so that functions are compiled in all workers.

    Raises:
        SystemExit: a method does not answer in time, or its answer is an error that does not pass by itself.
    """
    with httpx.Client(base_url=url, timeout=_SECONDS) as client:
        for number, photo in enumerate(noisy_photos(rounds * len(FIELDS), 5)):
            method = list(FIELDS)[number % len(FIELDS)]
            _until_answered(client, method, photo)


def _until_answered(client: httpx.Client, method: str, photo: bytes) -> None:
    deadline = time.monotonic() + _SECONDS
    while True:
        answer = client.post(f"/v1/{method}", data=FIELDS[method], files={"image": photo}, headers={"Prefer": "wait=60"})
        if answer.status_code == 200:
            return
        if answer.status_code not in {503, 504} or time.monotonic() > deadline:
            raise SystemExit(f"{method} is answered with {answer.status_code}: {answer.text[:300]}")
        time.sleep(0.5)
