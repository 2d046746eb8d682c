"""Bodies of batches are cut into the same parts however they arrive."""

from __future__ import annotations

import json

import pytest

from schemas.errors import MalformedBody
from service.batches.body_parts import BodyPart, JsonParts, LineParts


def cut(reader: type[JsonParts | LineParts], body: bytes, size: int, most: int = 10**6) -> list[BodyPart]:
    parts = reader(most)
    found = [part for start in range(0, len(body), size) for part in parts.feed(body[start : start + size])]
    return found + parts.close()


ITEMS = [{"k": [1, {"z": "é\\"}], "brackets": '"}]{['}, "s", 12, True, None, [], {}]
BODY = json.dumps({"defaults": {"a": 'x\\"]}', "n": -1.5e3}, "items": ITEMS, "n": 7, "s": "\\"}, indent=1, ensure_ascii=False).encode()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
def test_json_is_cut_at_its_values(size: int) -> None:
    parts = cut(JsonParts, BODY, size)
    assert [json.loads(part.text or b"") for part in parts if part.kind == "item"] == ITEMS
    fields = {part.name: json.loads(part.text or b"") for part in parts if part.kind == "field"}
    assert fields == {"defaults": {"a": 'x\\"]}', "n": -1500.0}, "n": 7, "s": "\\"}


@pytest.mark.parametrize("size", [1, 7, 50, 10_000])
def test_a_part_that_is_too_long_is_dropped_and_keeps_its_place(size: int) -> None:
    long = b'{"a":"' + b'\\"' * 600 + b'"}'
    body = b'{"items":[' + long + b', {"b":1} ,"' + b"x" * 500 + b'", 12345]}'
    assert [part.text for part in cut(JsonParts, body, size, 500)] == [None, b'{"b":1}', None, b"12345"]
    lines = long + b'\n{"b":1}\r\n\n' + b"x" * 501 + b"\n" + b"y" * 500
    assert [part.text for part in cut(LineParts, lines, size, 500)] == [None, b'{"b":1}', None, b"y" * 500]


@pytest.mark.parametrize("size", [1, 100])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"items":[1,',
        b'{"items":[1}',
        b'{"items":[1]} x',
        b"{1:2}",
        b'{"a" 1}',
        b'{"items":["a',
        b"{,}",
        b'{"a":1,}',
        b'{"a":1',
    ],
)
def test_a_body_that_is_no_json_object_is_refused(body: bytes, size: int) -> None:
    with pytest.raises(MalformedBody):
        cut(JsonParts, body, size)


def test_memory_is_that_of_one_part() -> None:
    parts, chunk = JsonParts(1000), b'{"a":1},' * 1000
    parts.feed(b'{"items":[')
    for _ in range(5):
        assert len(parts.feed(chunk)) == 1000
        assert len(parts._buffer) < 100  # pyright: ignore[reportPrivateUsage]
