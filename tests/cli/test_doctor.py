from __future__ import annotations

from pathlib import Path

import pytest

from catalog.catalog import load_catalog
from cli.doctor import examine
from cli.doctor_models import custom_object_fault, damaged_files
from cli.finding import Finding
from cli.listening import listen, port_of
from jobstore.settings import StoreSettings
from processes.embedded_redis import EmbeddedRedis
from tests.workers.tiny import save_model


@pytest.fixture
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Point every setting to an empty folder."""
    monkeypatch.setenv("CONVSCOPE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("CONVSCOPE_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("CONVSCOPE_MODELS_FILE", str(tmp_path / "models.toml"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path


def _findings(until: str = "TensorFlow") -> list[Finding]:
    """Return the findings before TensorFlow is examined, which takes seconds."""
    found: list[Finding] = []
    for finding in examine():
        found.append(finding)
        if finding.subject in ("weights", until):
            break
    return found


def _of(subject: str) -> list[Finding]:
    return [finding for finding in _findings() if finding.subject == subject]


@pytest.mark.usefixtures("surroundings")
def test_nothing_is_missing_with_the_default_settings() -> None:
    findings = _findings()
    assert [finding for finding in findings if finding.level != "ok"] == []
    assert {"Python", "settings", "service", "Redis", "disk", "models", "weights"} == {finding.subject for finding in findings}


@pytest.mark.usefixtures("surroundings")
def test_a_wrong_setting_is_reported_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVSCOPE_MAX_STEPS", "-1")
    (finding,) = _of("settings")
    assert finding.level == "missing"
    assert finding.text.startswith("CONVSCOPE_MAX_STEPS: ")
    assert "'-1'" in finding.text


@pytest.mark.usefixtures("surroundings")
def test_a_misspelt_variable_is_reported_with_the_nearest_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVSCOPE_MAXSTEPS", "64")
    notes = [finding for finding in _of("settings") if finding.level == "note"]
    assert [note.text for note in notes] == ["CONVSCOPE_MAXSTEPS is not a setting and has no effect. Is CONVSCOPE_MAX_STEPS meant?"]


@pytest.mark.usefixtures("surroundings")
def test_the_redis_of_the_settings_is_examined(monkeypatch: pytest.MonkeyPatch, redis_server: EmbeddedRedis) -> None:
    monkeypatch.setenv("CONVSCOPE_REDIS_URL", redis_server.url)
    (finding,) = _of("Redis")
    assert finding.level == "ok"
    assert "(CONVSCOPE_REDIS_URL)" in finding.text
    assert "redis://" not in finding.text  # the address may hold a password


@pytest.mark.usefixtures("surroundings")
def test_a_redis_that_may_delete_jobs_is_reported(monkeypatch: pytest.MonkeyPatch, redis_server: EmbeddedRedis) -> None:
    from redis import Redis

    monkeypatch.setenv("CONVSCOPE_REDIS_URL", redis_server.url)
    with Redis.from_url(redis_server.url) as redis:
        redis.config_set("maxmemory-policy", "allkeys-lru")
        try:
            (finding,) = _of("Redis")
        finally:
            redis.config_set("maxmemory-policy", "noeviction")
    assert finding.level == "note"
    assert "set maxmemory-policy noeviction" in finding.text


@pytest.mark.usefixtures("surroundings")
def test_a_redis_that_does_not_answer_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    with listen("127.0.0.1", 0, beyond_loopback=False) as listener:
        port = port_of(listener)
    monkeypatch.setenv("CONVSCOPE_REDIS_URL", f"redis://127.0.0.1:{port}/0")
    (finding,) = _of("Redis")
    assert finding.level == "missing"
    assert f"127.0.0.1:{port} (CONVSCOPE_REDIS_URL) does not answer" in finding.text


def test_a_wrong_models_file_is_missing(surroundings: Path) -> None:
    (surroundings / "models.toml").write_text('[vgg16]\nwieghts = "random"\n')
    (finding,) = [finding for finding in _of("models") if finding.level == "missing"]
    assert finding.text == "'vgg16' cannot be used: models.toml: [vgg16]: wieghts: Extra inputs are not permitted."


def test_a_models_file_that_is_no_toml_is_missing(surroundings: Path) -> None:
    (surroundings / "models.toml").write_text("[vgg16\n")
    (finding,) = [finding for finding in _findings(until="models") if finding.subject == "models"]
    assert (finding.level, finding.text[:13]) == ("missing", "models.toml: ")


def test_every_unusable_model_is_reported(surroundings: Path) -> None:
    (surroundings / "models").mkdir()
    (surroundings / "models.toml").write_text('[vgg16]\nwieghts = "random"\n')
    for name in ("My Model.keras", "a.keras", "good.keras"):
        (surroundings / "models" / name).write_bytes(b"x")
    (surroundings / "models" / "a.toml").write_text("title = 3")
    missing = [finding.text for finding in _of("models") if finding.level == "missing"]
    assert [text.split(" cannot be used: ")[0] for text in missing] == ["'My Model'", "'a'", "'vgg16'"]
    assert "a.toml: title" in missing[1]


@pytest.mark.slow
def test_every_damaged_file_is_reported(surroundings: Path) -> None:
    models = surroundings / "models"
    models.mkdir()
    save_model(models)
    for name in ("torn.keras", "empty.h5"):
        (models / name).write_bytes(b"")
    settings = StoreSettings()
    found = list(damaged_files(settings, load_catalog(settings.models_file, settings.models_dir)))
    assert [text.split(" cannot be used: ")[0] for text in sorted(found)] == ["'empty'", "'torn'"]
    assert "'torn.keras' is not a .keras file (a zip archive), or it is damaged." in sorted(found)[1]


def test_a_weights_file_that_does_not_exist_is_missing(surroundings: Path) -> None:
    (surroundings / "models.toml").write_text('[vgg16]\nweights = "mine.weights.h5"\n')
    assert [finding.level for finding in _of("models") if "mine.weights.h5" in finding.text] == ["missing"]


@pytest.mark.slow
def test_own_layers_are_imported_and_their_faults_are_reported() -> None:
    assert custom_object_fault(("tests.workers.models.custom_layers:Patches",)) is None
    fault = custom_object_fault(("tests.workers.models.custom_layers:Patchs",))
    assert fault is not None
    assert "has no 'Patchs'" in fault
