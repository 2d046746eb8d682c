"""The page of all settings: `python -m cli.settings_table` writes `docs/settings.md` from the settings' own definitions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from pydantic.fields import FieldInfo

from jobstore.settings import StoreSettings
from service.settings import ServiceSettings
from workers.settings import WorkerSettings

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"
_READERS = {
    "both": "Read by the service and by the workers",
    "service": "Read by the service",
    "worker": "Read by the workers",
}
_INTRODUCTION = """\
# Settings

<!-- Do not edit this page: `make settings` writes it, and a test compares it with the code. -->

Every setting is an environment variable. A setting that both the service and the workers read must have the same value for both.
`convscope doctor` finds variables whose names are misspelt. A dash means that the setting is not set by default.
"""


@dataclass(frozen=True)
class SettingRow:
    """One setting: its variable, who reads it (`both`, `service` or `worker`), its default value and its meaning."""

    variable: str
    read_by: str
    default: str
    meaning: str


def setting_rows() -> Iterator[SettingRow]:
    """Yield every setting once; those that the service and the workers share come first."""
    shared, service, worker = StoreSettings.model_fields, ServiceSettings.model_fields, WorkerSettings.model_fields
    for name in dict.fromkeys([*shared, *service, *worker]):
        readers = [reader for reader, fields in (("service", service), ("worker", worker)) if name in fields]
        field = service[name] if name in service else worker[name]
        yield SettingRow(f"CONVSCOPE_{name.upper()}", "both" if len(readers) == 2 else readers[0], _default(field), field.description or "")


def markdown() -> str:
    """Return the whole page in Markdown, with one table for each kind of reader."""
    rows = list(setting_rows())
    tables = [f"## {title}\n\n{_table(row for row in rows if row.read_by == reader)}" for reader, title in _READERS.items()]
    return "\n".join([_INTRODUCTION, *tables])


def _table(rows: Iterable[SettingRow]) -> str:
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    lines += [f"| `{row.variable}` | {row.default} | {row.meaning.replace('|', chr(92) + '|')} |" for row in rows]
    return "\n".join(lines) + "\n"


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if value is None or value == ():
        return "–"
    if isinstance(value, tuple):
        return f"`{','.join(map(str, cast('tuple[object, ...]', value)))}`"
    return f"`{value}`" if isinstance(value, (str, Path, int, float)) else f"`{value!r}`"


if __name__ == "__main__":
    PAGE.write_text(markdown(), "utf-8")
