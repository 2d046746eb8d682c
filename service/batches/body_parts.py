"""Cut the body of a batch into its parts while it arrives: the defaults, and each item. A part is JSON text that nobody has parsed yet.

Only one part is in memory at a time. A part that is too long is dropped while it arrives, and its place is kept.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass
from typing import Literal, Protocol

from pydantic_core import from_json

from schemas.errors import MalformedBody
from service.echo import echo

_SPACE = b" \t\n\r"
_STRUCTURE = re.compile(rb'["{}\[\]]')
_IN_STRING = re.compile(rb'["\\]')
_SCALAR_END = re.compile(rb"[,\]} \t\n\r]")


@dataclass(frozen=True)
class BodyPart:
    """A part of the body. `text` is None if the part has more bytes than allowed. `name` is that of a field of the whole."""

    kind: Literal["field", "item", "line"]
    name: str
    text: bytes | None


class BodyParts(Protocol):
    """Cuts a body into parts. Both methods block for milliseconds, so call them on a thread."""

    def feed(self, chunk: bytes) -> list[BodyPart]:
        """Take the next bytes of the body and return the parts that they complete."""
        ...

    def close(self) -> list[BodyPart]:
        """Return the parts that the end of the body completes."""
        ...


class LineParts:
    """Cuts JSON Lines: each line that is not empty is a part. The lines end with LF or CR LF."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._line = bytearray()
        self._is_too_long = False

    def feed(self, chunk: bytes) -> list[BodyPart]:
        *ends, rest = chunk.split(b"\n")
        found: list[BodyPart] = []
        for end in ends:
            self._add(end)
            found += self.close()
        self._add(rest)
        return found

    def close(self) -> list[BodyPart]:
        text, is_too_long = bytes(self._line).strip(), self._is_too_long
        self._line.clear()
        self._is_too_long = False
        return [BodyPart("line", "", None if is_too_long else text)] if text or is_too_long else []

    def _add(self, text: bytes) -> None:
        if self._is_too_long or len(self._line) + len(text) > self._max_bytes:
            self._is_too_long = True
            self._line.clear()
        else:
            self._line += text


class JsonParts:
    """Cuts a JSON object: each of its fields is a part, and so is each value of the list `items`.

    Brackets are only counted. Whether a part is correct JSON is found out when it is parsed.

    Every method raises `MalformedBody` if the body is not such an object.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._found: list[BodyPart] = []
        self._is_at_end = False
        self._reading = self._read()
        next(self._reading)

    def feed(self, chunk: bytes) -> list[BodyPart]:
        self._buffer += chunk
        self._advance()
        found = list(self._found)
        self._found.clear()  # the list stays the same, because an interrupted `append` goes on with it
        return found

    def close(self) -> list[BodyPart]:
        self._is_at_end = True
        self._advance()
        return []

    def _advance(self) -> None:
        if next(self._reading, "ended") == "ended" and self._buffer.strip(_SPACE):
            raise MalformedBody(f"The body goes on after its end, with {echo(self._buffer[:20].decode(errors='replace'))}.")

    def _read(self) -> Generator[None]:
        yield
        yield from self._expect(b"{")
        first = True
        while (yield from self._peek()) != b"}":
            if not first:
                yield from self._expect(b",")
            first = False
            name = _name((yield from self._value()))
            yield from self._expect(b":")
            if name == "items":
                yield from self._items()
            else:
                self._found.append(BodyPart("field", name, (yield from self._value())))
        yield from self._expect(b"}")
        while not self._is_at_end:
            yield

    def _items(self) -> Generator[None]:
        if (yield from self._peek()) != b"[":
            self._found.append(BodyPart("field", "items", (yield from self._value())))
            return
        yield from self._expect(b"[")
        first = True
        while (yield from self._peek()) != b"]":
            if not first:
                yield from self._expect(b",")
            first = False
            self._found.append(BodyPart("item", "", (yield from self._value())))
        yield from self._expect(b"]")

    def _more(self) -> Generator[None]:
        if self._is_at_end:
            raise MalformedBody("The body ends in the middle. It must be a JSON object with the list `items`.")
        yield

    def _peek(self) -> Generator[None, None, bytes]:
        while True:
            del self._buffer[: len(self._buffer) - len(self._buffer.lstrip(_SPACE))]
            if self._buffer:
                return bytes(self._buffer[:1])
            yield from self._more()

    def _expect(self, wanted: bytes) -> Generator[None]:
        if (got := (yield from self._peek())) != wanted:
            raise MalformedBody(f"The body must be a JSON object with the list `items`. Expected {wanted.decode()!r}; got {got!r}.")
        del self._buffer[:1]

    def _value(self) -> Generator[None, None, bytes | None]:
        """Take the next value off the buffer and return its text, or None if it is too long."""
        first = yield from self._peek()
        dropped, at, depth, is_in_string = 0, 0, 0, False
        while True:
            if not (depth or is_in_string) and first not in b'"{[':
                end = _SCALAR_END.search(self._buffer, at)
                at = end.start() if end else len(self._buffer)
                if end:
                    break
            elif found := (_IN_STRING if is_in_string else _STRUCTURE).search(self._buffer, at):
                mark, at = found.group(), found.end()
                if is_in_string and mark == b"\\":
                    at += 1  # the escaped character, which may not have arrived yet
                elif mark == b'"':
                    is_in_string = not is_in_string
                else:
                    depth += 1 if mark in b"{[" else -1
                if not (depth or is_in_string):
                    break
                continue
            else:
                at = max(at, len(self._buffer))
            if dropped or len(self._buffer) > self._max_bytes:
                keep = min(at, len(self._buffer))
                del self._buffer[:keep]
                dropped, at = dropped + keep, at - keep
            yield from self._more()
        text = bytes(self._buffer[:at])
        del self._buffer[:at]
        return None if dropped or len(text) > self._max_bytes else text


def _name(text: bytes | None) -> str:
    try:
        name = from_json(text or b"")
    except ValueError:
        name = None
    if not isinstance(name, str):
        raise MalformedBody(f"A field of the body has no name; got {echo((text or b'')[:60].decode(errors='replace')) or 'nothing'}.")
    return name
