"""Choose which artifacts of a result are written, and under which names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convscope.cli.failing import CommandError
from convscope.result import AsyncResult
from convscope.save_result import artifact_suffix, file_name, write_whole

_KINDS = ("png", "npy", "json", "all")
_PICTURES = ("image", "animation")


@dataclass(frozen=True)
class SaveChoice:
    """The choice of what is written of each result. It holds the words of `--save`, which are kinds of files or names of artifacts."""

    words: frozenset[str]

    @classmethod
    def read(cls, text: str) -> SaveChoice:
        """Read words with commas between.

        Raises:
            CommandError: there is no word.
        """
        words = frozenset(word.strip() for word in text.split(",") if word.strip())
        if not words:
            raise CommandError(f"--save needs at least one of {', '.join(_KINDS)} or the name of an artifact.")
        return cls(words)

    @property
    def has_pictures(self) -> bool:
        """True if the primary picture of a result is written."""
        return bool(self.words & {"png", "all"})

    @property
    def archive_names(self) -> str | None:
        """The artifacts as `POST /v1/jobs.zip` names them: an empty text for all of them, and None if none is written."""
        if "all" in self.words:
            return ""
        words = {"png": "primary", "npy": "arrays"}
        return ",".join(sorted(words.get(word, word) for word in self.words - {"json"})) or None

    def names(self, result: AsyncResult) -> list[str]:
        """Return the names of the artifacts that are written.

        Raises:
            LookupError: a word is neither a kind nor the name of an artifact of the result.
        """
        artifacts = result.artifacts
        if missing := sorted(self.words - set(_KINDS) - set(artifacts)):
            named = ", ".join(f"'{name}'" for name in missing)
            raise LookupError(f"The result of {result.method} has no artifact {named} for --save; it has {', '.join(artifacts)}.")
        return [name for name, artifact in artifacts.items() if self._takes(artifact)]

    def _takes(self, artifact: Mapping[str, Any]) -> bool:
        is_primary = artifact["primary"] and artifact["kind"] in _PICTURES and "png" in self.words
        is_array = artifact["kind"] == "array" and "npy" in self.words
        return is_primary or is_array or "all" in self.words or artifact["name"] in self.words

    async def fetch(self, result: AsyncResult, output: str) -> dict[str, bytes]:
        """Return the contents of the files by their paths below the results' folder, the primary picture first.

        Args:
            result: the result of a photo.
            output: the place of the photo, as `a/cat.jpg`. The files are called `a/cat.jpg.overlay.png` and so on.

        Raises:
            LookupError: a word is neither a kind nor the name of an artifact of the result.
            ProblemError, NetworkError: an artifact could not be downloaded.
        """
        names = sorted(self.names(result), key=lambda name: name != result.primary)
        await result.load(*names) if names else None
        # A dot in the name of an artifact is written as %2E. So the last two dots of a file's name end the photo's own name, and no
        # two photos share a file.
        files = {
            f"{output}.{file_name(name, '').replace('.', '%2E')}{artifact_suffix(result.artifacts[name])}": result.content(name)
            for name in names
        }
        if self.words & {"json", "all"}:
            files[f"{output}.job.json"] = json.dumps(result.job, indent=2, ensure_ascii=False).encode("utf-8", "surrogateescape")
        return files


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write each file whole or not at all.

    Raises:
        OSError: a file cannot be written.
    """
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
