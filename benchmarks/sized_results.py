"""Photos and Grad-CAM results whose sizes are those of real ones, for benchmarks that have no device.

With `efficientnet_lite0`, a photo of a camera brought to 640 pixels has about 90 KB, its overlay about 140 KB as PNG, and its map of 7 × 7
float32 numbers 324 bytes as npy.
"""

from __future__ import annotations

import json
import random

from jobstore.records import Result
from schemas.artifacts import DeferredPicture, EncodedArtifact
from schemas.jobs import Provenance, Timings
from tests.service.fake_worker import png

OVERLAY_BYTES, MAP_BYTES = 140_000, 324
_CLASSES = ("Egyptian cat", "tabby", "tiger cat", "lynx", "Persian cat")
_FACTS = json.dumps(
    {
        "layer": "block7a_project_bn",
        "class_index": 285,
        "label": "Egyptian cat",
        "logit": 8.254921913146973,
        "probability": 0.3914213478565216,
        "classes": [
            {"index": 281 + number, "label": label, "logit": 8.254921913146973, "probability": 0.3914213478565216}
            for number, label in enumerate(_CLASSES)
        ],
    }
)
_VERSIONS = {"convscope": "0.1.0", "tensorflow": "2.21.0", "keras": "3.15.1", "numpy": "2.3.5", "opencv": "4.12.0", "pillow": "12.0.0"}


def photo(number: int) -> bytes:
    """Return a PNG of about 90 KB that no other number gives."""
    return png(173, 173, number)


def grad_cam_result(name: str) -> Result:
    """Return the result of a Grad-CAM. Its bytes differ from those of every other name."""
    noise = random.Random(name)  # noqa: S311 - it only has to differ
    overlay = noise.randbytes(OVERLAY_BYTES)
    drawing = json.dumps({"kind": "heatmap", "source": "map", "colormap": "jet", "height": 480, "width": 640, "title": "Grad-CAM, block7a"})
    return Result(
        artifacts=(
            EncodedArtifact.of(overlay, name="overlay", kind="image", shape=(480, 640, 3), dtype="uint8", primary=True),
            EncodedArtifact.of(noise.randbytes(MAP_BYTES), name="map", kind="array", shape=(7, 7), dtype="float32"),
            DeferredPicture.of(drawing, name="heatmap", shape=(480, 640, 3), needs_photo=False),
        ),
        facts=_FACTS,
        warnings=(),
        timings=Timings(decode=12, device=20, render=31),
        provenance=Provenance(model_fingerprint="f" * 64, precision="float32", device="CPU:0", versions=_VERSIONS),
    )
