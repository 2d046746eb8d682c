"""The scores that are explained: which score of a class is differentiated, and from which values other targets are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

GradientScore = Literal["logit", "probability", "rest"]
"""The score of a class that is differentiated.

`rest` is the residual softmax, the logit plus the logarithm of the probability (Cai, arXiv:2501.06261). For targets other than classes it
is their value.
"""


@dataclass(frozen=True)
class Readout:
    """Values of a model from which targets other than one class are read. The score of a target is a weighted sum of them.

    Attributes:
        source: `logits` or `probabilities` for the classes of an output, (N, classes) or (N, h, w, classes); `output` for an output as it
            is; `layer` for a layer's activations.
        name: the name of the output, where None stands for the first, or the path of the layer.
        normalised: divide the values of each example by their Euclidean length first, so that the sum is a cosine if the weights have the
            length 1.
    """

    source: Literal["logits", "probabilities", "output", "layer"]
    name: str | None = None
    normalised: bool = False
