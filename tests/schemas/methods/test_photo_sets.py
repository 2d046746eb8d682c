"""Parameters that name sets: the places of images, and images in the place of sets and addresses."""

from __future__ import annotations

import numpy as np

from rendering.photo import whole_photo
from schemas.methods.concepts.tcav import Tcav
from workers.contract.inputs import Prepared
from workers.execution.named_photos import named_photos

A, B, C, D = (f"img_{letter * 64}" for letter in "abcd")
FIRST, SECOND = (f"set_{digit * 26}" for digit in "01")
ADDRESS = "https://example.com/cat.jpg"


def params(images: list[str], concepts: list[object], random_sets: list[object]) -> Tcav:
    return Tcav.model_validate({"images": images, "concepts": concepts, "random_sets": random_sets})


def named(name: str, *images: str) -> dict[str, object]:
    return {"name": name, "images": images}


def test_each_image_and_each_set_has_its_first_place() -> None:
    asked = params([A, FIRST], [SECOND, named("x", B, A, FIRST)], [named("y", B, ADDRESS)])
    assert asked.set_places() == {FIRST: "/images/1", SECOND: "/concepts/0"}
    filled = asked.with_sets({FIRST: ("one", (C, A)), SECOND: ("two", (D,))})
    assert filled.images == (A, C)
    assert [each.model_dump() for each in filled.photo_sets("concepts")] == [named("two", D), named("x", B, A, C)]
    places = filled.image_places()
    assert [(image, place.pointer) for image, place in places.items()] == [
        (A, "/images/0"),
        (C, "/images/1"),
        (D, "/concepts/0/images/0"),
        (B, "/concepts/1/images/0"),
        (ADDRESS, "/random_sets/0/images/1"),
    ]
    assert places[B].label == "Image 0 of `concepts` 1"


def test_uploads_take_the_place_of_addresses() -> None:
    """An address whose image stands in the set already gives it no second image."""
    asked = params([ADDRESS], [named("x", A, ADDRESS, B)], [named("y", ADDRESS, C)]).with_uploads({ADDRESS: A})
    assert asked.images == (A,)
    assert [each.images for each in (*asked.photo_sets("concepts"), *asked.photo_sets("random_sets"))] == [(A, B), (A, C)]


def test_a_worker_gets_the_photos_of_each_set() -> None:
    asked = params([A], [named("x", B, A)], [named("y", C, D), named("z", D, B)])
    photos = {each: Prepared(whole_photo(np.zeros((1, 2, 3), np.uint8)), np.zeros((1, 2, 3), np.float32)) for each in (A, B, C, D)}
    found = named_photos(asked, [photos[each] for each in asked.image_places()])
    several, sets = found.several, found.sets
    assert several[0] is photos[A]
    found = {field: [[id(each) for each in members] for members in given] for field, given in sets.items()}
    a, b, c, d = (id(photos[each]) for each in (A, B, C, D))
    assert found == {"concepts": [[b, a]], "random_sets": [[c, d], [d, b]]}
