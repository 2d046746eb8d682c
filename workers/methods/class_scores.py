"""Class scores: the classes that a job asks for, their scores in a pass of the model, and their names. All method families use it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from jaxtyping import Float32, Float64

from schemas.errors import NonFinite
from schemas.methods.facts import Prediction
from schemas.methods.target_class import TOP_CLASS, TargetClassParams
from schemas.models import PublishedModel
from workers.contract.probe import Forward, Probe

# Two scores that differ by less than this share of their size differ only by rounding.
ROUNDING = 1e-5


def class_scores(found: Forward, classes: Sequence[Prediction], score: Literal["logit", "probability"]) -> Float64[np.ndarray, "b n"]:
    """Return the score of each of the n classes for each of the b inputs of a pass.

    Args:
        found: a forward pass that was asked for scores.
        classes: the n classes to read.
        score: which score to read.

    Raises:
        ValueError: the pass was not asked for scores.
    """
    every = found.logits if score == "logit" else found.probabilities
    if every is None:
        raise ValueError("the pass gave no class scores")
    return every[:, [scored.class_index for scored in classes]].astype(np.float64)


def target_predictions(probe: Probe, found: Forward, params: TargetClassParams) -> tuple[Prediction, ...]:
    """Return the classes that resolved parameters ask for, with their scores for the first input of a pass.

    Raises:
        ValueError: the pass was not asked for scores.
    """
    if found.logits is None or found.probabilities is None:
        raise ValueError("the pass gave no class scores")
    chosen = [int(found.logits[0].argmax()) if index == TOP_CLASS else index for index in params.target_classes().indices]
    logits, probabilities = (np.repeat(scores[:1], len(chosen), axis=0) for scores in (found.logits, found.probabilities))
    return tuple(predictions(probe.published, np.array(chosen), logits, probabilities, params.output))


def top_predictions_of_inputs(model: PublishedModel, found: Forward, output: str | None = None) -> list[Prediction]:
    """Return the top class of each input of a pass, with its scores.

    Raises:
        ValueError: the pass was not asked for scores.
    """
    if found.logits is None or found.probabilities is None:
        raise ValueError(f"the pass through model '{model.description.name}' gave no class scores")
    return predictions(model, found.logits.argmax(axis=1), found.logits, found.probabilities, output)


def predictions(
    model: PublishedModel,
    class_indices: np.ndarray,
    logits: Float32[np.ndarray, "n classes"],
    probabilities: Float32[np.ndarray, "n classes"],
    output: str | None = None,
) -> list[Prediction]:
    """Return one prediction for each of n rows: its class with label, logit and probability.

    Args:
        class_indices: the n class indices, an integer array (n,).
        output: the output that the classes belong to. None stands for the first output.
    """
    rows = zip(class_indices.tolist(), logits, probabilities, strict=True)
    head = model.description.head_at(output).head
    return [
        Prediction(
            class_index=c,
            label=model.label_of(c, output),
            logit=float(row_logits[c]),
            probability=float(row_probabilities[c]),
            head=head,
        )
        for c, row_logits, row_probabilities in rows
    ]


def check_finite_scores(classes: Sequence[Prediction]) -> None:
    """Raise `NonFinite` if the logit or the probability of a class is not finite."""
    for scored in classes:
        if not (math.isfinite(scored.logit) and math.isfinite(scored.probability)):
            raise NonFinite(f"The model's score of class {scored.class_index} is not finite: the logit is {scored.logit}.")


def class_name(scored: Prediction) -> str:
    """Return the class in words: "Egyptian cat (285)", or "class 285" if it has no label. Another target is its label alone."""
    if is_target(scored):
        return scored.label or ""
    return f"{scored.label} ({scored.class_index})" if scored.label else f"class {scored.class_index}"


def score_text(scored: Prediction) -> str:
    """Return the probability of a class in per cent, or the value of another target."""
    return f"{scored.logit:.4g}" if is_target(scored) else f"{scored.probability:.1%}"


def is_target(scored: Prediction) -> bool:
    """Return whether this stands for another target than a class of the model, whose value is then its logit."""
    return scored.head == "none"
