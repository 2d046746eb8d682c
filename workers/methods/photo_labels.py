"""Say in a few letters which of several photos a part of a picture shows."""

from __future__ import annotations

from schemas.methods.photo_names import PhotoNamesParams

_LONGEST, _FIRST = 24, 11  # letters of a label, and of the part of a longer name that stands before "…"


def photo_label(params: PhotoNamesParams, number: int, *, by_name: bool = True) -> str:
    """Return the name of a photo if it has one, and otherwise its number: "photo 3".

    A name of more than 24 letters is cut in the middle, because names of files differ mostly at their ends.

    Args:
        params: the parameters of the job.
        number: the place of the photo in `images`.
        by_name: false if a bare picture is asked for, which has numbers alone.
    """
    name = params.name_of(number) if by_name else None
    if name is None:
        return f"photo {number}"
    return name if len(name) <= _LONGEST else f"{name[:_FIRST]}…{name[_FIRST + 1 - _LONGEST :]}"


def label_with_value(params: PhotoNamesParams, number: int, value: str, *, by_name: bool = True) -> str:
    """Return the label of a photo and a value, in two lines if the photo has a name. The arguments are as for `photo_label`."""
    named = by_name and params.name_of(number) is not None
    return photo_label(params, number, by_name=by_name) + ("\n" if named else " · ") + value
