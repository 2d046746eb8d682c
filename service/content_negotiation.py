"""Choose the representation that the caller's `Accept` header prefers (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from collections.abc import Sequence


def preferred_media_type(accept: str | None, offered: Sequence[str]) -> str | None:
    """Return the media type of `offered` with the highest quality, the first one if several have it; None if none is accepted.

    Example:
        `preferred_media_type("image/webp, image/*;q=0.5", ["image/png", "image/webp"])` is `image/webp`.
    """
    ranges = [parsed_range(part) for part in (accept or "").split(",") if part.strip()] or [("*/*", 1.0)]
    qualities = [_quality(media_type, ranges) for media_type in offered]
    highest = max(qualities, default=0.0)
    return offered[qualities.index(highest)] if highest > 0 else None


def parsed_range(part: str) -> tuple[str, float]:
    """Return one part of an `Accept` or `Accept-Encoding` header and its quality, 0-1. A quality that is no number counts as 0."""
    media_range, *parameters = [piece.strip().lower() for piece in part.split(";")]
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return media_range, min(max(float(value), 0.0), 1.0)
            except ValueError:
                return media_range, 0.0
    return media_range, 1.0


def _quality(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    """Return the quality of the most specific range that matches `media_type`; 0 if none does."""
    kind = media_type.split("/", 1)[0]
    for pattern in (media_type, f"{kind}/*", "*/*"):
        matching = [quality for media_range, quality in ranges if media_range == pattern]
        if matching:
            return max(matching)
    return 0.0
