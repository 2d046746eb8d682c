"""Put the texts of the Lua scripts together: each script with those shared definitions that it uses.

Redis runs the whole text of a script at each call. The definitions that a script does not use would take a tenth of Redis's time.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# They stand in this order, because each uses the definitions of those before.
SHARED_SCRIPTS = ("basics", "files", "batches", "deliveries", "events", "queue", "records", "forget")
_FOLDER = Path(__file__).with_name("scripts")
_COMMENT = re.compile(r"--.*$", re.MULTILINE)
# A definition begins with `local` at the beginning of a line.
_DEFINITION = re.compile(r"^local (?:function (?P<function>\w+)|(?P<variables>\w+(?:, \w+)*) =)", re.MULTILINE)
_WORD = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class Definition:
    """One function of the shared scripts, or variables that are defined together."""

    names: frozenset[str]
    text: str


def load_scripts() -> dict[str, tuple[str, str]]:
    """Return the text and the SHA-1 of every script, by name. A text is the script's first line, the shared definitions, then the rest."""
    shared = definitions("\n".join((_FOLDER / "shared" / f"{name}.lua").read_text("utf-8") for name in SHARED_SCRIPTS))
    scripts: dict[str, tuple[str, str]] = {}
    for path in _FOLDER.glob("*.lua"):
        text = with_definitions(path.read_text("utf-8"), shared)
        scripts[path.stem] = text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    return scripts


def definitions(lua: str) -> list[Definition]:
    """Return the definitions of a text in which every statement at the outermost level is one. Comments are left out.

    Raises:
        ValueError: the text begins with something else.
    """
    code = _COMMENT.sub("", lua)
    starts = list(_DEFINITION.finditer(code))
    if not starts or code[: starts[0].start()].strip():
        raise ValueError("The shared scripts must begin with a definition.")
    ends = [start.start() for start in starts[1:]] + [len(code)]
    return [
        Definition(frozenset((start["function"] or start["variables"]).split(", ")), code[start.start() : end].strip())
        for start, end in zip(starts, ends, strict=True)
    ]


def with_definitions(script: str, shared: Sequence[Definition]) -> str:
    """Return a script with the definitions that it uses, also through others, between its first line and the rest."""
    first, rest = script.split("\n", 1)
    used, taken = set(_WORD.findall(_COMMENT.sub("", rest))), list[str]()
    for definition in reversed(shared):
        if definition.names & used:
            used |= set(_WORD.findall(definition.text))
            taken.append(definition.text)
    return "\n".join([first, *reversed(taken), rest])
