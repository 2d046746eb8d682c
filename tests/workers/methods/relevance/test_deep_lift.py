"""DeepLIFT on a model that is a formula: the logit is Σ W·x², so a value contributes W·(x² − b²)."""

from __future__ import annotations

import numpy as np
import pytest

from schemas.errors import InvalidParameters
from schemas.limits import MethodLimits
from schemas.methods.relevance.deep_lift import DeepLift, DeepLiftFacts
from schemas.methods.target_class import TOP_CLASS
from schemas.methods.targets import SimilarityTarget
from tests.workers.methods.support import FormulaProbe, batch, photo_of, published
from workers.contract.arrays import Float32
from workers.contract.contributions import Contributions
from workers.contract.inputs import Inputs
from workers.methods.relevance import deep_lift

W = FormulaProbe.WEIGHTS


class DifferencesProbe(FormulaProbe):
    """Loses the share `lost` of each contribution."""

    lost = 0.0

    def contributions(self, tensor: Float32, baselines: Float32, class_indices: np.ndarray, *, output: str | None = None) -> Contributions:
        logits, before = self._logits(tensor), self._logits(baselines)
        chosen = np.where(class_indices == TOP_CLASS, logits.argmax(axis=1), class_indices).astype(np.int32)
        self.calls.append(len(tensor))
        shares = (1 - self.lost) * W[chosen][:, None, None] * (tensor**2 - baselines**2)
        return Contributions(shares.astype(np.float32), logits, logits, before, chosen)


def resolved(**params: object) -> DeepLift:
    return DeepLift.model_validate(params).resolve(published(), MethodLimits())


def test_each_job_has_its_own_baseline_and_classes() -> None:
    x, probe = batch(2), DifferencesProbe()
    jobs = [resolved(class_index=(2, 0), baseline="mean"), resolved(class_index=1, baseline="white")]
    first, second = deep_lift.run(probe, Inputs(x), jobs)
    mean = x[0].mean(axis=(0, 1))
    np.testing.assert_allclose(first.attribution.values, [W[c] * (x[0] ** 2 - mean**2) for c in (2, 0)], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(second.maps, [(W[1] * (x[1] ** 2 - 255**2)).sum(axis=-1)], rtol=1e-5)
    expected = [(W[c] * (x[0] ** 2 - mean**2)).sum() for c in (2, 0)]
    np.testing.assert_allclose(first.difference, expected, rtol=1e-4)
    np.testing.assert_allclose(first.attributed, expected, rtol=1e-4)
    assert [each.class_index for each in (*first.attribution.classes, *second.attribution.classes)] == [2, 0, 1]
    assert (first.attribution.listed, second.attribution.listed, probe.calls) == (True, False, [3])


def test_the_facts_say_how_much_arrived() -> None:
    probe, job = DifferencesProbe(), resolved(class_index=1, baseline="white")
    (found,) = deep_lift.run(probe, Inputs(batch(1)), [job])
    output = deep_lift.draw(found, photo_of(), job)
    assert isinstance(output.facts, DeepLiftFacts)
    assert output.facts.completeness_error[0] < 1e-5
    assert not output.warnings
    probe.lost = 0.5
    (found,) = deep_lift.run(probe, Inputs(batch(1)), [job])
    (warning,) = deep_lift.draw(found, photo_of(), job).warnings
    assert warning.startswith("goldfish (1): the sum of the attributions misses the score's difference by 50% of it.")


def test_jobs_of_one_output_run_as_one_batch() -> None:
    assert deep_lift.batch_key(resolved(baseline="black", class_index=1)) == deep_lift.batch_key(resolved(baseline="random", seed=3))


def test_a_similarity_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    target = SimilarityTarget.model_validate({"similarity": {"image": "img_" + "0" * 64}})
    monkeypatch.setattr(DeepLift, "resolve_target", lambda self, *_: self.changed(target=target))
    with pytest.raises(InvalidParameters, match="no rule for the length") as raised:
        resolved()
    assert raised.value.pointer == "/params/target"
