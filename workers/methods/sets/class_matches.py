"""Find the classes that two models have in common."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schemas.methods.sets.compare_models_facts import Matched
from schemas.models import PublishedModel


@dataclass(frozen=True)
class ClassMatch:
    """The classes that two models have in common.

    Attributes:
        by: how they were matched, or None if they cannot be matched.
        indices: the class index of the second model for each class index of the first that has a match.
        why_not: a sentence that says why no class, or not every class, has a match; empty if every class has one.
    """

    by: Matched | None
    indices: Mapping[int, int]
    why_not: str = ""


def match_classes(first: PublishedModel, second: PublishedModel) -> ClassMatch:
    """Return the classes of `first` that `second` has too.

    Labels match in any case, `_` counts as a space, and one of the synonyms between commas suffices. A label that several classes of one
    model have matches only if both models have the same labels in the same order. Models without labels match by index if they have
    equally many classes.
    """
    names = (first.description.name, second.description.name)
    counts = (first.description.head_at(None).class_count, second.description.head_at(None).class_count)
    if not first.labels and not second.labels:
        if counts[0] == counts[1] and counts[0] is not None:
            return ClassMatch("index", {index: index for index in range(counts[0])})
        why_not = f"Models '{names[0]}' and '{names[1]}' have no labels, and have {counts[0]} and {counts[1]} classes."
        return ClassMatch(None, {}, why_not)
    if not first.labels or not second.labels:
        without, other = (names[0], names[1]) if not first.labels else (names[1], names[0])
        return ClassMatch(None, {}, f"Model '{without}' has no labels, so its classes cannot be matched with those of model '{other}'.")
    labels = ([_plain(label) for label in first.labels], [_plain(label) for label in second.labels])
    if labels[0] == labels[1]:
        return ClassMatch("label", {index: index for index in range(len(labels[0]))})
    found = _same_names(*labels)
    if not found:
        return ClassMatch(None, {}, f"Models '{names[0]}' and '{names[1]}' have no label in common.")
    missing = len(labels[0]) - len(found)
    why_not = f"{missing} of the {len(labels[0])} classes of model '{names[0]}' have no class of the same label in model '{names[1]}'."
    return ClassMatch("label", found, why_not if missing else "")


def _plain(label: str) -> str:
    return " ".join(label.replace("_", " ").casefold().split())


def _same_names(first: Sequence[str], second: Sequence[str]) -> dict[int, int]:
    """Return the class of `second` for each class of `first` that shares a name with it and with no other class, and it alone."""
    places: tuple[defaultdict[str, set[int]], defaultdict[str, set[int]]] = (defaultdict(set), defaultdict(set))
    for labels, found in zip((first, second), places, strict=True):
        for index, label in enumerate(labels):
            for name in _names(label):
                found[name].add(index)
    matched: dict[int, int] = {}
    for index, label in enumerate(first):
        there = set[int]().union(*(places[1][name] for name in _names(label)))
        if len(there) == 1:
            (place,) = there
            if set[int]().union(*(places[0][name] for name in _names(second[place]))) == {index}:
                matched[index] = place
    return matched


def _names(label: str) -> set[str]:
    """Return a plain label and its synonyms, which stand between commas."""
    return {label, *(synonym.strip() for synonym in label.split(","))}
