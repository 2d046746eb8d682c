"""Write what OpenAPI cannot say to TypeScript about the methods: `python -m cli.typescript_methods`.

A name such as `map.{layer}` is a template literal in TypeScript, and only some methods look at an image. `make typescript` runs this.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from schemas.methods import METHODS
from schemas.methods.photo_sets import PhotoSetsParams
from schemas.methods.several_images import ImagesParams

PAGE = Path(__file__).parents[1] / "client" / "typescript" / "src" / "generated" / "methods.ts"
_HEAD = "/** The methods' images and artifacts. `make typescript` writes this file from the methods' cards. */\n"


def written() -> str:
    """Return the text of the file."""
    names = "".join(f"  {name}: {_names([spec.name for spec in params.card.artifacts])};\n" for name, params in METHODS.items())
    one = [name for name, params in METHODS.items() if params.card.needs_image]
    several = [name for name, params in METHODS.items() if issubclass(params, ImagesParams)]
    with_sets = {name: params.set_fields for name, params in METHODS.items() if issubclass(params, PhotoSetsParams)}
    sets = "".join(f"  {name}: {json.dumps(fields)},\n" for name, fields in with_sets.items())
    return "\n".join(
        [
            _HEAD,
            "/** The names of the artifacts that each method can make. */",
            f"export interface ArtifactNames {{\n{names}}}\n",
            "/** The methods that look at one image. */",
            f"export type MethodWithImage =\n{_union(one)};\n",
            "/** The methods that take several images. */",
            f"export type MethodWithImages =\n{_union(several)};\n",
            "/** The parameters of each method that name sets of photos. */",
            f"export const PHOTO_SET_FIELDS = {{\n{sets}}} as const;\n",
        ]
    )


def _union(names: list[str]) -> str:
    return "\n".join(f'  | "{name}"' for name in names)


def _names(names: list[str]) -> str:
    return " | ".join(f"`{re.sub(r'{[a-z]+}', '${string}', name)}`" if "{" in name else f'"{name}"' for name in names)


if __name__ == "__main__":
    PAGE.write_text(written(), "utf-8")
