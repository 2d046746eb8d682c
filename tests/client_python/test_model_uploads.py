"""Models that a client uploads to the whole service: real workers check them, run them, and show no result of an earlier version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convscope import Client
from convscope.errors import ModelError, UnknownNameError
from convscope.keras import Panel
from tests.client_python.conftest import WholeService
from tests.service.checking_worker import files_in
from tests.workers.models.model_files import IMAGES, small_model, with_config
from tests.workers.tiny import photo

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def saved(path: Path, bias: float, *, legacy: bool = False) -> Path:
    """Save a model whose logits are `bias` times the class index, whatever it sees."""
    model = small_model(legacy=legacy)
    kernel, old = model.get_layer("scores").get_weights()
    model.get_layer("scores").set_weights([np.zeros_like(kernel), bias * np.arange(len(old), dtype=np.float32)])
    model.save(path)
    return path


def add_lambda(config: dict[str, Any]) -> None:
    config["config"]["layers"][2]["class_name"] = "Lambda"


def probabilities(client: Client, image: bytes) -> list[float]:
    """Return the probabilities of the four classes."""
    result = client.run("predict", image, model="flowers", top=4)
    return [each["probability"] for each in sorted(result.facts["predictions"], key=lambda each: each["class_index"])]


def softmax(bias: float) -> list[float]:
    exponentials = np.exp(bias * np.arange(4))
    return list(exponentials / exponentials.sum())


def test_an_upload_is_run_replaced_and_deleted(whole_service: WholeService, tmp_path: Path) -> None:
    image = photo(5)
    with Client(whole_service.url) as client:
        described = client.upload_model(saved(tmp_path / "flowers.keras", 1.0))
        assert (described["name"], described["source"], described["classes"]) == ("flowers", "upload", 4)
        assert probabilities(client, image) == pytest.approx(softmax(1.0), abs=1e-4)
        assert client.run("predict", image, model="flowers", top=4).job["cached"]

        replaced = client.upload_model(saved(tmp_path / "other.h5", -2.0, legacy=True), name="flowers")
        assert replaced["fingerprint"] != described["fingerprint"]
        assert client.model("flowers")["fingerprint"] == replaced["fingerprint"]
        assert probabilities(client, image) == pytest.approx(softmax(-2.0), abs=1e-4)

        again = client.upload_model(tmp_path / "flowers.keras")
        assert again["fingerprint"] == described["fingerprint"]
        assert probabilities(client, image) == pytest.approx(softmax(1.0), abs=1e-4)
        assert files_in(whole_service.models) == {"uploads/flowers.keras"}

        client.delete_model("flowers")
        assert files_in(whole_service.models) == set()
        with pytest.raises(UnknownNameError):
            client.run("predict", image, model="flowers")


def test_hostile_files_are_refused_and_leave_nothing(whole_service: WholeService, tmp_path: Path) -> None:
    (tmp_path / "torn.keras").write_bytes(saved(tmp_path / "whole.keras", 1.0).read_bytes()[:-5000])
    small_model().save_weights(tmp_path / "alone.weights.h5")
    files = [
        (with_config(add_lambda, tmp_path / "hostile.keras"), "Lambda"),
        (tmp_path / "torn.keras", "damaged"),
        (tmp_path / "alone.weights.h5", "no whole model"),
    ]
    with Client(whole_service.url) as client:
        client.upload_model(tmp_path / "whole.keras", name="hostile")
        before = client.model("hostile")["fingerprint"]
        for file, words in files:
            with pytest.raises(ModelError, match=words) as refused:
                client.upload_model(file, name="hostile")
            assert refused.value.code == "model_load_failed"
            assert str(whole_service.models) not in str(refused.value)
            assert files_in(whole_service.models) == {"uploads/hostile.keras"}
        assert client.model("hostile")["fingerprint"] == before
        client.delete_model("hostile")
    assert files_in(whole_service.models) == set()


def test_the_checkpoints_of_a_training_are_uploaded_shown_and_deleted(whole_service: WholeService, tmp_path: Path) -> None:
    model = small_model()
    model.compile("sgd", "sparse_categorical_crossentropy")
    with Client(whole_service.url) as client:
        panel = Panel(client, [photo(5)], ["predict"], models_dir=None, name="epochs", folder=tmp_path / "panel")
        model.fit(IMAGES, np.array([0, 3]), epochs=2, verbose=0, callbacks=[panel])
        assert {path.name for path in (tmp_path / "panel").iterdir()} == {
            "predict-0-epoch-0001.png",
            "predict-0-epoch-0002.png",
            "predict-0.webp",
        }
        assert files_in(whole_service.models) == set()
        for folder, settings, words in ((None, 'title = "A"', "have no settings"), (tmp_path / "none", "", "does not exist")):
            with pytest.raises(ValueError, match=words):
                Panel(client, [], ["predict"], models_dir=folder, settings=settings)


def test_the_operators_models_stay(whole_service: WholeService, tmp_path: Path) -> None:
    with Client(whole_service.url) as client, pytest.raises(ModelError, match="belongs to the operator") as refused:
        client.upload_model(saved(tmp_path / "vgg16.keras", 1.0))
    assert refused.value.code == "model_not_uploaded"
