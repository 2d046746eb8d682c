from __future__ import annotations

import pytest

from cli.settings_table import PAGE, markdown, setting_rows
from service.settings import ServiceSettings
from workers.settings import WorkerSettings


def test_the_page_is_what_the_code_says_now() -> None:
    assert PAGE.read_text("utf-8") == markdown(), "run `make settings`"


def test_every_setting_is_there_once_and_says_what_it_means() -> None:
    rows = list(setting_rows())
    variables = [row.variable for row in rows]
    assert len(set(variables)) == len(variables)
    assert not [row.variable for row in rows if not row.meaning]
    assert {"CONVSCOPE_HOST", "CONVSCOPE_PORT", "CONVSCOPE_REDIS_URL", "CONVSCOPE_MODELS_DIR", "CONVSCOPE_DATA_DIR"} <= set(variables)


def test_a_setting_that_both_read_has_one_default() -> None:
    shared = set(ServiceSettings.model_fields) & set(WorkerSettings.model_fields)
    assert shared
    for name in shared:
        assert ServiceSettings.model_fields[name].get_default() == WorkerSettings.model_fields[name].get_default(), name


def test_the_variables_are_the_ones_that_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {row.variable: row for row in setting_rows()}
    monkeypatch.setenv("CONVSCOPE_MAX_STEPS", "77")
    monkeypatch.setenv("CONVSCOPE_JOB_TIMEOUT", "12.5")
    assert rows["CONVSCOPE_MAX_STEPS"].read_by == "service"
    assert rows["CONVSCOPE_JOB_TIMEOUT"].read_by == "worker"
    assert ServiceSettings().max_steps == 77
    assert WorkerSettings().job_timeout == 12.5
