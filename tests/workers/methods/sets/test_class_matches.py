from __future__ import annotations

from tests.workers.methods.support import published
from workers.methods.sets.class_matches import match_classes


def named(name: str, labels: tuple[str, ...], classes: int = 3):
    model = published(labels)
    return model.model_copy(update={"description": model.description.model_copy(update={"name": name, "classes": classes})})


def test_labels_match_in_any_order_case_and_with_underscores_or_a_synonym() -> None:
    first = named("a", ("Egyptian_cat", "espresso", "tabby, tabby cat"))
    second = named("b", ("tabby cat", "zebra", "egyptian  cat"))
    match = match_classes(first, second)
    assert (match.by, match.indices) == ("label", {0: 2, 2: 0})
    assert match.why_not == "1 of the 3 classes of model 'a' have no class of the same label in model 'b'."


def test_a_label_of_several_classes_matches_only_if_the_lists_are_equal() -> None:
    cranes = named("a", ("crane", "crane", "zebra"))
    assert match_classes(cranes, named("b", ("Crane", "crane", "zebra"))).indices == {0: 0, 1: 1, 2: 2}
    assert match_classes(cranes, named("b", ("zebra", "crane", "espresso"))).indices == {2: 0}
    assert match_classes(named("b", ("zebra", "crane", "espresso")), cranes).indices == {0: 2}


def test_models_without_labels_match_by_index_only_if_they_have_equally_many_classes() -> None:
    assert match_classes(named("a", ()), named("b", ())).indices == {0: 0, 1: 1, 2: 2}
    assert match_classes(named("a", ()), named("b", ())).by == "index"
    other = match_classes(named("a", ()), named("b", (), 4))
    assert (other.by, other.indices, other.why_not) == (None, {}, "Models 'a' and 'b' have no labels, and have 3 and 4 classes.")


def test_labels_cannot_be_matched_with_none_or_with_others() -> None:
    labelled = named("a", ("x", "y", "z"))
    assert "Model 'b' has no labels" in match_classes(labelled, named("b", ())).why_not
    assert "Model 'b' has no labels" in match_classes(named("b", ()), labelled).why_not
    strangers = match_classes(labelled, named("c", ("u", "v", "w")))
    assert (strangers.by, strangers.why_not) == (None, "Models 'a' and 'c' have no label in common.")
