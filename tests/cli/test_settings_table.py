from __future__ import annotations

import re
from pathlib import Path

import pytest

from cli.settings_table import PAGE, markdown, setting_rows
from service.settings import ServiceSettings
from workers.settings import WorkerSettings

ROOT = Path(__file__).parents[2]


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


def test_every_setting_that_a_document_names_exists() -> None:
    """`CONVSCOPE_URL` and `CONVSCOPE_KEY` are read by the clients. The changelog and the records of decisions may name what has gone."""
    pages = [
        ROOT / "README.md",
        ROOT / "SECURITY.md",
        ROOT / "docker-compose.yml",
        *(ROOT / "docs").glob("*.md"),
        *(ROOT / "deploy").rglob("*.*"),
    ]
    known = {row.variable for row in setting_rows()} | {"CONVSCOPE_URL", "CONVSCOPE_KEY"}
    named = {name: page.name for page in pages for name in re.findall(r"\bCONVSCOPE_[A-Z0-9_]*[A-Z0-9]\b", page.read_text("utf-8"))}
    assert len(named) > 30
    assert {name: page for name, page in named.items() if name not in known} == {}


def test_limits_of_what_callers_send_have_the_promised_defaults() -> None:
    """These are the figures of SECURITY.md and docs/operating.md, and what an operator relies on who sets nothing."""
    service, worker, mebi = ServiceSettings(), WorkerSettings(), 2**20
    assert (service.max_body_bytes, service.max_image_bytes, service.max_base64_bytes) == (32 * mebi, 20 * mebi, 10 * mebi)
    assert (service.max_image_pixels, service.max_image_side) == (25_000_000, 16_384)
    assert "TIFF" not in service.image_formats
    assert (worker.decode_seconds, worker.decode_memory_bytes) == (5, 1024 * mebi)
    assert (worker.max_layer_activation_bytes, worker.max_activation_bytes) == (1024 * mebi, 4096 * mebi)
    assert (worker.load_timeout, worker.load_memory_bytes) == (120, 8192 * mebi)
    assert (service.max_records_per_owner, service.max_batch_items, service.max_batches_per_caller) == (20_000, 10_000, 20)
    assert (service.max_filters, service.max_synthesis_size, service.max_steps) == (512, 512, 2048)
    assert (service.max_queued, service.max_queued_per_caller) == (1000, 100)
    assert (worker.job_device_seconds, worker.device_timeout) == (300, 30)
    assert (worker.lease, worker.heartbeat, worker.max_attempts) == (15, 5, 3)
    assert (service.default_wait, service.max_wait, service.result_ttl) == (30, 60, 86_400)
    assert (service.max_stored_bytes, service.min_free_disk) == (20 * 1024 * mebi, 1024 * mebi)
    assert (service.max_submissions_per_minute, service.max_reads_per_minute) == (60, 600)
    assert (worker.max_model_file_bytes, worker.max_model_expanded_bytes) == (1024 * mebi, 4096 * mebi)
    assert (worker.max_model_parameters, worker.max_model_layers) == (200_000_000, 2000)
    assert (service.drain, worker.worker_drain) == (30, 60)
    assert not service.url_inputs
    assert not service.webhooks
    assert not service.model_uploads
    assert service.cors_origins == ()
