"""Every setting, as the README lists them: `python -m cli.settings_table` prints that table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic.fields import FieldInfo

from jobstore.settings import StoreSettings
from service.settings import Settings as ServiceSettings
from workers.settings import Settings as WorkerSettings


@dataclass(frozen=True)
class SettingRow:
    """A setting: its variable, who reads it, its default and what it means."""

    variable: str
    read_by: str
    default: str
    meaning: str


def setting_rows() -> Iterator[SettingRow]:
    """All settings, shared ones first, each once."""
    shared, service, worker = StoreSettings.model_fields, ServiceSettings.model_fields, WorkerSettings.model_fields
    for name in dict.fromkeys([*shared, *service, *worker]):
        readers = [reader for reader, fields in (("service", service), ("worker", worker)) if name in fields]
        field = service[name] if name in service else worker[name]
        yield SettingRow(f"CONVSCOPE_{name.upper()}", "both" if len(readers) == 2 else readers[0], _default(field), field.description or "")


def markdown() -> str:
    """The table in Markdown."""
    lines = ["| variable | read by | default | meaning |", "|---|---|---|---|"]
    lines += [f"| `{row.variable}` | {row.read_by} | {row.default} | {row.meaning.replace('|', chr(92) + '|')} |" for row in setting_rows()]
    return "\n".join(lines) + "\n"


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if value is None or value == ():
        return "–"
    if isinstance(value, tuple):
        return f"`{','.join(map(str, value))}`"
    return f"`{value}`" if isinstance(value, (str, Path, int, float)) else f"`{value!r}`"


if __name__ == "__main__":
    print(markdown(), end="")  # noqa: T201 - what it is for
