"""The table of `rank_methods`, and its facts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float64, UInt8

from rendering.charts.table import number_text, table
from rendering.photo import Photo
from schemas.methods import METHODS
from schemas.methods.evaluation.measures import MEASURES
from schemas.methods.evaluation.rank_methods import RankMethods
from schemas.methods.evaluation.rank_methods_facts import MeanMeasure, PhotoMeasures, RankedMethod, RankMethodsFacts
from workers.contract.artifacts import Array, Document, Output, Picture
from workers.methods.class_scores import class_name
from workers.methods.evaluation.judged_methods import JudgedMethod
from workers.methods.evaluation.mean_ranks import as_good, friedman_p, interval, ranks
from workers.methods.evaluation.measure_map import measured_values

Ranks = Float64[np.ndarray, "photos methods measures"]


def draw(result: list[JudgedMethod], photo: Photo | None, params: RankMethods) -> Output:
    """Return the table, the ranks, and the facts, also as a document."""
    del photo
    every = all_ranks(result, params)
    facts = _facts(result, every, params)
    return Output(
        artifacts=(
            Picture("table", _table(result, facts, params), primary=True),
            Document("ranking", "application/json", facts.model_dump_json(indent=1)),
            Array("ranks", every.astype(np.float32)),
        ),
        facts=facts,
        warnings=tuple(_warnings(result, facts, params)),
    )


def all_ranks(result: Sequence[JudgedMethod], params: RankMethods) -> Ranks:
    """Return the rank of each method for each photo and each measure."""
    return np.stack(
        [
            np.stack(
                [
                    ranks([each.photos[photo].measures[name].value for each in result], higher=MEASURES[name].better == "higher")
                    for name in params.measures
                ],
                axis=1,
            )
            for photo in range(len(params.images))
        ]
    )


def _facts(result: Sequence[JudgedMethod], every: Ranks, params: RankMethods) -> RankMethodsFacts:
    of_photos = every.mean(axis=2)  # photos × methods
    means = of_photos.mean(axis=0)
    best = of_photos[:, int(means.argmin())]
    methods = [
        RankedMethod(
            name=each.candidate.name or each.candidate.method,
            method=each.candidate.method,
            mean_rank=float(means[number]),
            interval=interval(of_photos[:, number]),
            as_good_as_best=as_good(of_photos[:, number], best),
            measures=tuple(_mean_measures(each, every[:, number], params)),
            forward_passes=each.map_passes.forward,
            gradient_passes=each.map_passes.gradient,
            seconds=each.map_time.seconds,
            measuring_seconds=each.measure_time.seconds,
            photos=tuple(
                PhotoMeasures(image=image, explained=found.explained, mean_rank=float(rank), measures=measured_values(found.measures))
                for image, found, rank in zip(params.images, each.photos, of_photos[:, number], strict=True)
            ),
        )
        for number, each in enumerate(result)
    ]
    return RankMethodsFacts(
        methods=tuple(sorted(methods, key=lambda each: each.mean_rank)),
        forward_passes=sum(each.map_passes.forward + each.measure_passes.forward for each in result),
        gradient_passes=sum(each.map_passes.gradient + each.measure_passes.gradient for each in result),
        friedman_p=friedman_p(of_photos),
    )


def _mean_measures(judged: JudgedMethod, own: Float64[np.ndarray, "photos measures"], params: RankMethods) -> Iterator[MeanMeasure]:
    for number, name in enumerate(params.measures):
        values = [found.measures[name].value for found in judged.photos]
        defined = [each for each in values if each is not None]
        mean = float(np.mean(defined)) if defined else None
        yield MeanMeasure(measure=name, better=MEASURES[name].better, mean=mean, mean_rank=float(own[:, number].mean()))


def _table(result: Sequence[JudgedMethod], facts: RankMethodsFacts, params: RankMethods) -> UInt8[np.ndarray, "h w 3"]:
    photos = len(params.images)
    heads = [f"{name}\n{MEASURES[name].better} is better" for name in params.measures]
    header = ["method", "mean rank", *heads, "forward\nimages", "gradient\nimages", "seconds"]
    rows: list[list[str]] = []
    for each in facts.methods:
        mark = "≈ " if each.as_good_as_best and each is not facts.methods[0] else ""
        spread = "" if each.interval is None else f" ± {each.interval:.2f}"
        title = METHODS[each.method].card.title if each.name == each.method else each.name
        values = [number_text(measure.mean) for measure in each.measures]
        cost = [f"{each.forward_passes:,}", f"{each.gradient_passes:,}", number_text(each.seconds)]
        rows.append([title, f"{mark}{each.mean_rank:.2f}{spread}", *values, *cost])
    marked = {
        (row, 2 + column)
        for column in range(len(params.measures))
        for row, each in enumerate(facts.methods)
        if _is_best(column, each, facts.methods)
    }
    explained = {class_name(found.explained) for each in result for found in each.photos}
    of_what = f"maps of {explained.pop()}" if len(explained) == 1 else "maps of each photo's own class"
    notes = ["mean rank: 1 is the best; the mean over all measures and photos; equal values share their mean rank. Coloured: the best"]
    if photos > 1:
        notes.append("± : 95 % confidence interval over the photos. ≈ : not significantly worse than the first (paired t test, 5 %)")
    if facts.friedman_p is not None:
        notes.append(
            f"Friedman test: p = {number_text(facts.friedman_p)}; equally good methods would differ as much in this share of trials"
        )
    notes.append(
        "forward images, gradient images, seconds: what the maps alone cost, without the measures; the first map of a kind takes longer"
    )
    title = f"Ranking of methods · {result[0].model} · {photos} photo{'s' if photos > 1 else ''} · {of_what}"
    return table(title, header, rows, notes, marked=marked)


def _is_best(column: int, each: RankedMethod, methods: Sequence[RankedMethod]) -> bool:
    means = [method.measures[column].mean for method in methods]
    found = ranks(means, higher=each.measures[column].better == "higher")
    own = found[[method.name for method in methods].index(each.name)]
    return each.measures[column].mean is not None and bool(own == found.min())


def _warnings(result: Sequence[JudgedMethod], facts: RankMethodsFacts, params: RankMethods) -> Iterator[str]:
    if len(params.images) == 1:
        yield "One photo says nothing about chance: rank the methods on several photos before you trust small differences."
    for each in result:
        for number, found in enumerate(each.photos):
            if without := [name for name, measured in found.measures.items() if measured.value is None]:
                name = each.candidate.name or each.candidate.method
                yield f"{name}, image {number}: the map has no value of {', '.join(without)}, and shares the last rank there."
    first = facts.methods[0].mean_rank
    if tied := [each.name for each in facts.methods[1:] if abs(each.mean_rank - first) < 1e-9]:
        yield f"These methods have the same mean rank as {facts.methods[0].name}: {', '.join(tied)}."
