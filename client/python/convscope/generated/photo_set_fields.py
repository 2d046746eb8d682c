"""The parameters of each method that name sets of photos. This file is written by `make settings`."""

# fmt: off
PHOTO_SET_FIELDS: dict[str, tuple[str, ...]] = {
    "tcav": ("concepts", "random_sets",),
}
