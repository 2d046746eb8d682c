"""The choice of a media type by quality, specificity and order."""

from __future__ import annotations

import pytest

from service.content_negotiation import preferred_media_type

OFFERED = ["image/png", "image/webp", "application/json"]


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, "image/png"),
        ("", "image/png"),
        ("*/*", "image/png"),
        ("application/json", "application/json"),
        ("APPLICATION/JSON", "application/json"),
        ("application/json;charset=utf-8", "application/json"),
        ("image/webp, */*;q=0.1", "image/webp"),
        ("image/*;q=0.5, application/json;q=0.6", "application/json"),
        ("image/*, image/png;q=0.2", "image/webp"),
        ("*/*, image/png;q=0", "image/webp"),
        ("text/html", None),
        ("image/png;q=0", None),
        ("image/png;q=x", None),
        ("text/html,application/xhtml+xml,image/avif,image/webp,*/*;q=0.8", "image/webp"),
        (",,", "image/png"),
        ("nonsense", None),
    ],
)
def test_the_preferred_media_type(accept: str | None, chosen: str | None) -> None:
    assert preferred_media_type(accept, OFFERED) == chosen


def test_nothing_is_chosen_if_nothing_is_offered() -> None:
    assert preferred_media_type("*/*", []) is None
    assert preferred_media_type(None, []) is None
