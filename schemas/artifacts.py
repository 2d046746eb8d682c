"""The kinds of artifacts, the representations in which a caller can have each kind, and the description of one artifact.

The worker, the store and the service share this module. A new kind of artifact needs:

1. its name in `ArtifactKind` and its row in `MEDIA`, both here;
2. its class in `workers/contract/artifacts.py`;
3. its encoder in `ENCODERS` of `workers/execution/artifact_encoders.py`, which makes the stored bytes;
4. a converter in `service/converters.py` for each representation that is not the stored one.

`tests/contract/test_artifact_kinds.py` fails if one of them is missing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from schemas.photo_place import PhotoPlace

ArtifactKind = Literal["image", "animation", "array", "document"]
DocumentType = Literal["image/svg+xml", "text/vnd.graphviz", "application/json"]


@dataclass(frozen=True)
class Representation:
    """A form in which a caller can have an artifact.

    `name` is the value of `?format=` and the suffix of the file's name. The store holds the bytes of the `native` representation.
    """

    name: str
    media_type: str
    native: bool = False


@dataclass(frozen=True)
class ArtifactMedia:
    """The row of one kind of artifact in `MEDIA`.

    `phrase` is the kind in an error text ("This artifact is an image."). `shape` explains the description's `shape` to a caller.
    `one_line` says which artifact of this kind can be the whole answer to `POST /v1/{method}`: the primary one, the first one, or
    none. `headers` go with every answer that holds such an artifact.
    """

    phrase: str
    shape: str
    representations: tuple[Representation, ...]
    one_line: Literal["primary", "first", "none"]
    is_text: bool = False
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


MEDIA: Mapping[ArtifactKind, ArtifactMedia] = MappingProxyType(
    {
        "image": ArtifactMedia(
            phrase="an image",
            shape="(height, width, 3)",
            representations=(
                Representation("png", "image/png", native=True),
                Representation("webp", "image/webp"),
                Representation("jpeg", "image/jpeg"),
            ),
            one_line="primary",
        ),
        "animation": ArtifactMedia(
            phrase="an animation",
            shape="(frames, height, width, 3)",
            representations=(Representation("webp", "image/webp", native=True), Representation("gif", "image/gif")),
            one_line="first",
        ),
        "array": ArtifactMedia(
            phrase="an array",
            shape="the array's own shape",
            representations=(
                Representation("npy", "application/x-npy", native=True),
                Representation("npz", "application/x-npz"),
                Representation("json", "application/json"),
            ),
            one_line="none",
        ),
        # Each type of document is stored as it is, and there is only this one representation of it.
        "document": ArtifactMedia(
            phrase="a document",
            shape="empty",
            representations=(
                Representation("svg", "image/svg+xml", native=True),
                Representation("dot", "text/vnd.graphviz", native=True),
                Representation("json", "application/json", native=True),
            ),
            one_line="first",
            is_text=True,
            # A browser shows documents, and this forbids it to load or run anything that stands in them.
            headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"},
        ),
    }
)

_SHAPES = "; ".join(f"{kind}: {media.shape}" for kind, media in MEDIA.items())


class ArtifactDescription(BaseModel):
    """All that is known about an artifact without its bytes."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="Name of the artifact. No other artifact of the job has the same name.")
    kind: ArtifactKind = Field(description="Kind of the artifact. It decides in which formats the artifact can be had.")
    shape: tuple[int, ...] = Field(description=f"Shape of the pixels or numbers, by kind. {_SHAPES}.")
    dtype: str = Field(description="NumPy's name of the number type, such as `uint8` or `float32`. It is `text` for a document.")
    media_type: DocumentType | None = Field(
        default=None, description="Media type of a document. It is null for the other kinds, which can be had in several media types."
    )
    sha256: str | None = Field(
        description="SHA-256 of the stored bytes, in hexadecimal. It is null for a picture that is drawn when it is fetched, until the "
        "picture is first fetched."
    )
    size: int | None = Field(
        description="Number of stored bytes. It is null for a picture that is drawn when it is fetched, until the picture is first fetched."
    )
    primary: bool = Field(description="If it is true, this is the image that answers a one-line request.")
    on_photo: PhotoPlace | None = Field(
        default=None,
        description="Where the map of an array lies on the photo, or each map of a layer's activation. It is null for what does not lie on "
        "a photo.",
    )

    @property
    def stored(self) -> str:
        """This description as the JSON that Redis keeps. It says nothing of a place that there is not, because Redis has little room."""
        return self.model_dump_json(exclude={"on_photo"} if self.on_photo is None else None)

    @property
    def media(self) -> ArtifactMedia:
        return MEDIA[self.kind]

    @property
    def representations(self) -> tuple[Representation, ...]:
        """The representations that a caller can have. A document has only its own one."""
        every = self.media.representations
        return every if self.media_type is None else tuple(each for each in every if each.media_type == self.media_type)

    @property
    def native(self) -> Representation:
        """The representation that is stored."""
        return next(each for each in self.representations if each.native)


@dataclass(frozen=True)
class DeferredPicture:
    """A picture that is drawn when it is first fetched: its description, and its drawing (`rendering.drawings`) as JSON.

    `needs_photo` says whether it is drawn on the caller's photo, which must then live as long as the result.
    """

    description: ArtifactDescription
    drawing: str
    needs_photo: bool

    @classmethod
    def of(cls, drawing: str, *, name: str, shape: tuple[int, ...], needs_photo: bool) -> Self:
        """Describe a picture, uint8 RGB of the given shape (H, W, 3)."""
        description = ArtifactDescription(name=name, kind="image", shape=shape, dtype="uint8", sha256=None, size=None, primary=False)
        return cls(description, drawing, needs_photo)


@dataclass(frozen=True)
class EncodedArtifact:
    """An artifact's description and its bytes in the native representation."""

    description: ArtifactDescription
    content: bytes
    sha256: str

    @classmethod
    def of(
        cls,
        content: bytes,
        *,
        name: str,
        kind: ArtifactKind,
        shape: tuple[int, ...],
        dtype: str,
        primary: bool = False,
        media_type: DocumentType | None = None,
        on_photo: PhotoPlace | None = None,
    ) -> Self:
        """Describe `content`: its digest and its size are computed here."""
        digest = hashlib.sha256(content).hexdigest()
        description = ArtifactDescription(
            name=name,
            kind=kind,
            shape=shape,
            dtype=dtype,
            media_type=media_type,
            sha256=digest,
            size=len(content),
            primary=primary,
            on_photo=on_photo,
        )
        return cls(description, content, digest)
