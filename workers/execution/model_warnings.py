"""The warnings that every result of a model has: its faults, and the inputs that the job has given nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from schemas.methods.base import MethodParams
from schemas.models import ModelDescription
from workers.execution.loaded_inputs import LoadedInputs
from workers.execution.model_access import UsableModel


def model_warnings(model: UsableModel | None, params: MethodParams, given: Collection[str]) -> tuple[str, ...]:
    """Return the warnings of a job with these parameters, which has given values to the inputs `given` of its model."""
    if model is None:
        return ()
    description = model.published.description
    return (*description.warnings, *_input_warnings(description, params, given))


def further_model_warnings(models: Sequence[UsableModel], params: MethodParams) -> tuple[str, ...]:
    """Return the warnings of the further models of a job, each with the name of its model."""
    return tuple(f"Model '{each.published.description.name}': {text}" for each in models for text in model_warnings(each, params, ()))


def bits_warnings(loaded: LoadedInputs) -> tuple[str, ...]:
    """Say that a photo of 16-bit grey was not brought to 0-255, because its values are then 257 times as large as those of other photos."""
    if not loaded.kept_bits:
        return ()
    return ("The photo has 16 bits of grey, and the model got its values 0-65535. The input's setting `sixteen_bits` can change this.",)


def _input_warnings(description: ModelDescription, params: MethodParams, given: Collection[str]) -> tuple[str, ...]:
    """Warn that the model has inputs which the job has given nothing."""
    photo, empty = description.input.name, [name for name in description.other_inputs if name not in given]
    if params.card.needs_image and photo not in given:  # the job explains another input
        return (f"The model's inputs {', '.join([photo, *empty])} were given zeros.",)
    if not empty:
        return ()
    return (f"The photo goes to input '{photo}'. The model's other inputs ({', '.join(empty)}) were given zeros.",)
