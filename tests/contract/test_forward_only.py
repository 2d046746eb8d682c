"""Every method on models that can only be run: it gives what it gives for the same net in Keras, or it is refused in words."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from schemas.errors import ForwardOnlyModel, InvalidParameters, UnknownLayer, VisualizationError
from schemas.limits import MethodLimits
from schemas.methods import METHODS
from schemas.methods.evaluation.faithfulness import Faithfulness
from schemas.methods.forward_only import check_forward_only, forward_only_methods
from schemas.methods.perturbation.occlusion import Occlusion
from schemas.models import Preprocessing, PublishedModel
from tests.contract.cases import MethodCase, examined_model, resolved_alike
from tests.workers.models.forward_only_files import forward_only_entry, keras_net, load, onnx_net, saved, tflite_net
from workers.contract.artifacts import Array, Output
from workers.engine.forward_only.probe import ForwardOnlyProbe
from workers.methods import implementation
from workers.models.description.describe_forward_only import describe_forward_only

IDS = [f"img_{digit * 64}" for digit in "abc"]
# Parameters in place of a method's example, which names a method that needs gradients.
PARAMS = {
    "compare_models": {"images": IDS, "models": ["other"], "attribution": "occlusion", "options": {"window": [5, 3], "stride": [4, 3]}},
    "mean_map": {"images": IDS, "attribution": "occlusion", "options": {"window": [5, 3], "stride": [4, 3]}},
    "faithfulness": {"attribution": "occlusion", "options": {"window": [5, 3], "stride": [4, 3]}, "steps": 9},
    "rank_methods": {
        "images": IDS,
        "methods": [{"method": "occlusion", "options": {"window": [5, 3], "stride": [4, 3]}, "name": name} for name in ("a", "b")],
        "measures": ["sparseness"],
    },
    "map_measures": {"attribution": "occlusion", "options": {"window": [5, 3], "stride": [4, 3]}, "perturbations": 8, "disturbances": 1},
}
TF = Preprocessing.named("tf")


@pytest.fixture(scope="module", params=["onnx", "tflite"])
def probe(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("models") / f"net.{request.param}"
    saved(onnx_net() if request.param == "onnx" else tflite_net(), path)
    network = load(path)
    return ForwardOnlyProbe(network, *describe_forward_only(network, forward_only_entry(path, preprocessing=TF)))


@cache
def keras_outputs(method: str) -> list[Output]:
    return outputs(method, *examined_model("net", keras_net()))


def outputs(method: str, probe: Any, published: PublishedModel) -> list[Output]:
    params = resolved_alike(METHODS[method].model_validate(PARAMS.get(method, METHODS[method].card.example)), published)
    return MethodCase(probe, published, params, implementation(method)).outputs()


@pytest.mark.parametrize("method", [name for name in METHODS if METHODS[name].card.forward_only])
def test_it_gives_what_it_gives_for_the_same_net_in_keras(method: str, probe: Any) -> None:
    for found, expected in zip(outputs(method, probe, probe.published), keras_outputs(method), strict=True):
        assert [artifact.name for artifact in found.artifacts] == [artifact.name for artifact in expected.artifacts]
        arrays = [(one, other) for one, other in zip(found.artifacts, expected.artifacts, strict=True) if isinstance(one, Array)]
        assert arrays
        for one, other in arrays:
            assert isinstance(other, Array)
            scale = float(np.abs(other.array).max())
            assert scale > 0
            found_values, expected_values = np.asarray(one.array, float), np.asarray(other.array, float)
            np.testing.assert_allclose(found_values, expected_values, rtol=1e-3, atol=1e-4 * scale, err_msg=one.name)
        assert found.warnings == expected.warnings


@pytest.mark.parametrize("method", [name for name in METHODS if METHODS[name].card.needs_model and not METHODS[name].card.forward_only])
def test_every_other_method_names_those_that_work(method: str, probe: Any) -> None:
    params = METHODS[method].model_validate(METHODS[method].card.example)
    with pytest.raises(ForwardOnlyModel, match=f"'net' can be run, but .* and {method} needs them") as refused:
        check_forward_only(params, probe.description)
    assert refused.value.allowed == ", ".join(sorted(forward_only_methods()))
    assert {
        "predict",
        "predict_batch",
        "compare_models",
        "occlusion",
        "rise",
        "lime",
        "kernel_shap",
        "partition_shap",
        "sobol",
        "hsic",
        "faithfulness",
        "map_measures",
    } <= set(forward_only_methods())


@pytest.mark.parametrize(
    ("params", "error", "pointer", "words"),
    [
        (
            {"attribution": "grad_cam"},
            ForwardOnlyModel,
            "/params/attribution",
            "work with it: .*occlusion",
        ),
        ({"attribution": "occlusion", "randomisations": 1}, InvalidParameters, "/params/randomisations", "must be 0; got 1"),
    ],
)
def test_faithfulness_needs_a_method_that_only_runs_the_model(
    probe: Any, params: dict[str, object], error: type[VisualizationError], pointer: str, words: str
) -> None:
    with pytest.raises(error, match=words) as refused:
        Faithfulness.model_validate(params).resolve(probe.published, MethodLimits())
    assert refused.value.pointer == pointer
    assert "predict" not in (refused.value.allowed or "")


def test_what_a_network_has_no_part_of_is_refused(probe: Any) -> None:
    with pytest.raises(InvalidParameters, match="precision can only be float32; got bfloat16"):
        check_forward_only(Occlusion(precision="bfloat16"), probe.description)
    activation = Occlusion.model_validate({"target": {"activation": {"layer": "conv", "channel": 0}}})
    with pytest.raises(InvalidParameters, match=r"has no target 'activation'\. It has: class, difference, element, similarity"):
        activation.resolve(probe.published, MethodLimits())
    similar = {"target": {"similarity": {"image": "img_" + "0" * 64, "layer": "conv"}}}
    with pytest.raises(UnknownLayer, match="can only be run as a whole"):
        Occlusion.model_validate(similar).resolve(probe.published, MethodLimits())
    x = np.zeros((1, 13, 9, 3), np.float32)
    for call in (
        lambda: probe.forward(x, ["conv"]),
        lambda: probe.gradients(x, "conv", np.zeros(1, np.int32)),
        lambda: probe.input_gradients(x, np.zeros(1, np.int32)),
        lambda: probe.scores_from(x, "conv", x),
        lambda: probe.randomised(["conv"], 0),
        lambda: probe.weights("conv"),
        lambda: probe.forward(x, scores=True, precision="bfloat16"),
    ):
        with pytest.raises(ForwardOnlyModel, match="can only be run, and its file gives no"):
            call()


def test_targets_are_weighted_sums_of_the_outputs(probe: Any) -> None:
    """The difference of two classes by occlusion equals the difference of the two classes' maps, because both are linear."""
    window = {"window": [5, 3], "stride": [4, 3]}

    def map_of(**params: Any) -> Any:
        asked = Occlusion.model_validate({**window, **params}).resolve(probe.published, MethodLimits())
        output = MethodCase(probe, probe.published, asked, implementation("occlusion")).outputs()[0]
        return next(artifact.array for artifact in output.artifacts if isinstance(artifact, Array))

    first, second = map_of(class_index=[1, 3])
    np.testing.assert_allclose(map_of(target={"difference": {"of": 1, "from": [3]}}), first - second, atol=1e-4)
