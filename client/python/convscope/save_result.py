"""Write a result to a folder."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

_SUFFIXES = {
    "image": ".png",
    "animation": ".webp",
    "array": ".npy",
    "image/svg+xml": ".svg",
    "text/vnd.graphviz": ".dot",
    "application/json": ".json",
}


def write_result(folder: Path, job: Mapping[str, Any], contents: Mapping[str, bytes]) -> list[Path]:
    """Write each artifact of `contents` and the job as `job.json`, and return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    suffixes = {artifact["name"]: artifact_suffix(artifact) for artifact in job["artifacts"]}
    paths: list[Path] = []
    for name, content in contents.items():
        paths.append(write_whole(folder / file_name(name, suffixes[name]), content))
    paths.append(write_whole(folder / "job.json", json.dumps(job, indent=2, ensure_ascii=False).encode()))
    return paths


def artifact_suffix(artifact: Mapping[str, Any]) -> str:
    """Return the ending of an artifact's file, such as `.png`."""
    return _SUFFIXES[artifact["media_type"] or artifact["kind"]]


def file_name(artifact: str, suffix: str) -> str:
    """Return the name of an artifact's file. The slash of a nested layer becomes `%2F`, so that no two artifacts share a file."""
    return f"{quote(artifact, safe=' ()+,')}{suffix}"


def write_whole(path: Path, content: bytes) -> Path:
    """Write a file under a temporary name and give it its own name when it is whole."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".convscope-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path
