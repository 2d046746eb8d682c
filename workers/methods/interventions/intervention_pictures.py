"""The picture and the facts of `intervene`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from rendering.charts.before_after import ChangedShare, before_after
from rendering.charts.changed_maps import ChangedMap, changed_maps
from rendering.photo import Photo
from rendering.text import PAPER
from schemas.methods.facts import Prediction
from schemas.methods.interventions.intervene import SHOWN, ChannelChange, Intervene, InterveneFacts, ScoreChange
from workers.contract.artifacts import Array, Output, Picture
from workers.methods.class_scores import predictions
from workers.methods.inspection.top_classes import top_predictions
from workers.methods.interventions.intervention_result import InterventionResult

_NO_MAP = 3  # axes of a layer with a map: h, w, K


def draw(result: InterventionResult, photo: Photo, params: Intervene) -> Output:
    """Return the chart of the classes, the maps that changed most, all arrays, and the facts."""
    del photo
    facts = _facts(result, params)
    rows = [ChangedShare(_name(each), each.probability_before, each.probability_after) for each in _charted(facts)]
    title = f"{Intervene.card.title} · {result.published.description.name} · {facts.layer} · {_what(facts, params)}"
    parts = [before_after(rows, title)]
    if facts.later_channels and result.later is not None and result.later[0].ndim == _NO_MAP:
        parts.append(_maps(result.later, facts))
    later = () if result.later is None else (Array("later.before", result.later[0]), Array("later.after", result.later[1]))
    artifacts = (
        Picture("picture", _under_one_another(parts), primary=True),
        Array("logits", result.logits),
        Array("probabilities", result.probabilities),
        Array("changed", result.changed),
        *later,
    )
    return Output(artifacts, facts, tuple(_warnings(result, params)))


def changed_most(before: Float32[np.ndarray, "*place k"], after: Float32[np.ndarray, "*place k"], count: int) -> Int64[np.ndarray, " n"]:
    """Return the channels with the largest mean absolute difference, the largest first. Channels that did not change are left out."""
    change = np.abs(after - before).reshape(-1, before.shape[-1]).mean(axis=0)
    order = np.argsort(-change, kind="stable")[:count]
    return order[change[order] > 0]


def _facts(result: InterventionResult, params: Intervene) -> InterveneFacts:
    before, after = (
        top_predictions(result.published, result.logits[row], result.probabilities[row], params.top, params.output) for row in (0, 1)
    )
    classes = list(dict.fromkeys(each.class_index for each in (*before, *after)))
    rows = result.chosen.reshape(-1, result.chosen.shape[-1])
    return InterveneFacts(
        layer=params.layer or "",
        action=params.action,
        channels=int(rows.any(axis=0).sum()),
        positions=int(rows.any(axis=1).sum()),
        before=before,
        after=after,
        changes=tuple(_change(result, index, params.output) for index in classes),
        flipped=before[0].class_index != after[0].class_index,
        later=params.later,
        later_channels=() if result.later is None else tuple(_channel_changes(*result.later, count=params.shown)),
    )


def _change(result: InterventionResult, index: int, output: str | None) -> ScoreChange:
    both: list[Prediction] = predictions(result.published, np.array([index, index]), result.logits, result.probabilities, output)
    ranks = [1 + int((logits > logits[index]).sum()) for logits in result.logits]
    return ScoreChange(
        class_index=index,
        label=both[0].label,
        logit_before=both[0].logit,
        logit_after=both[1].logit,
        probability_before=both[0].probability,
        probability_after=both[1].probability,
        rank_before=ranks[0],
        rank_after=ranks[1],
    )


def _channel_changes(
    before: Float32[np.ndarray, "*place k"], after: Float32[np.ndarray, "*place k"], *, count: int
) -> Iterator[ChannelChange]:
    for channel in changed_most(before, after, count).tolist():
        first, second = before[..., channel], after[..., channel]
        yield ChannelChange(
            channel=channel,
            mean_before=float(first.mean()),
            mean_after=float(second.mean()),
            change=float(np.abs(second - first).mean()),
        )


def _charted(facts: InterveneFacts) -> tuple[ScoreChange, ...]:
    """Return the first classes before and after, so that the new top class is always there."""
    shown = {each.class_index for each in (*facts.before[:SHOWN], *facts.after[:SHOWN])}
    return tuple(each for each in facts.changes if each.class_index in shown)


def _name(change: ScoreChange) -> str:
    return f"{change.label} ({change.class_index})" if change.label else f"class {change.class_index}"


def _what(facts: InterveneFacts, params: Intervene) -> str:
    words = {"scale": f"times {params.factor:g}", "zero": "set to 0", "mean": "set to their mean", "swap": "taken from another photo"}
    channels = "channel" if facts.channels == 1 else "channels"
    return f"{facts.channels} {channels} at {facts.positions} positions {words[params.action]}"


def _maps(later: tuple[Float32[np.ndarray, "h w k"], ...], facts: InterveneFacts) -> UInt8[np.ndarray, "H W 3"]:
    """Return a row for each channel of the facts: its map before, after, and the difference."""
    rows: list[ChangedMap] = []
    for each in facts.later_channels:
        before, after = (values[..., each.channel] for values in later)
        words = (
            f"before · mean {each.mean_before:.3g}",
            f"after · mean {each.mean_after:.3g}",
            f"difference · mean size {each.change:.3g}",
        )
        first, second, third = (text.replace("-", "−") for text in words)
        rows.append(ChangedMap(f"channel {each.channel} of {facts.later}", before, after, (first, second, third)))
    return changed_maps("Maps of the later layer that changed most", rows)


def _under_one_another(pictures: list[UInt8[np.ndarray, "_ _ 3"]]) -> UInt8[np.ndarray, "H W 3"]:
    width = max(each.shape[1] for each in pictures)
    return np.concatenate([np.pad(each, ((0, 0), (0, width - each.shape[1]), (0, 0)), constant_values=PAPER[0]) for each in pictures])


def _warnings(result: InterventionResult, params: Intervene) -> Iterator[str]:
    if np.array_equal(result.own, result.changed):
        yield "The intervention changes no value: what was chosen already had the values that it was given."
    elif np.array_equal(result.logits[0], result.logits[1]):
        yield "The scores are the same after the intervention: what was changed does not reach them for this photo."
    if result.later is not None and result.later[0].ndim != _NO_MAP:
        yield f"Layer '{params.later}' has no map, so its channels are listed in the facts and not drawn."
