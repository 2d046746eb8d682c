"""Write a copy of the built-in model without its smallest weights, as magnitude pruning leaves it, to compare the two models.

`python -m workers.models.pruned_copy FOLDER NAME` writes the model file, its labels and its side file.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from catalog.sources.builtin import EFFICIENTNET_LITE0_PREPROCESSING as SPEC
from workers.models.efficientnet_lite0 import efficientnet_lite0
from workers.models.labels import load_labels

SHARE = 0.3
"""This share of the weights of each kernel, those nearest to 0, becomes 0."""


def write_pruned_copy(folder: Path, name: str) -> None:
    """Write the model NAME.keras, NAME.txt and NAME.toml into a folder."""
    model = efficientnet_lite0()
    for variable in model.trainable_variables:
        if variable.name == "kernel":
            kernel = np.asarray(variable.value)
            variable.assign(np.where(np.abs(kernel) < np.quantile(np.abs(kernel), SHARE), 0, kernel))
    model.save(folder / f"{name}.keras")
    (folder / f"{name}.txt").write_text("\n".join(load_labels("imagenet", 1000)), "utf-8")
    (folder / f"{name}.toml").write_text(
        f'labels = "{name}.txt"\n[preprocessing]\nmode = "custom"\norder = "{SPEC.order}"\nmean = {list(SPEC.mean)}\n'
        f'std = {list(SPEC.std)}\nresize = "{SPEC.resize}"\nfit = "{SPEC.fit}"\n'
    )


if __name__ == "__main__":
    write_pruned_copy(Path(sys.argv[1]), sys.argv[2])
