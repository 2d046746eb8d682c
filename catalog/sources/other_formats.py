"""Recognise what people put into the models folder that holds no whole model, and say how to make a model file of it."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

_SAVED_MODEL = "saved_model.pb"
_WRITTEN_BY_KERAS_2 = "keras_metadata.pb"
_WEIGHTS = ".weights.h5"


def why_unusable(path: Path, used_weights: Container[str]) -> str | None:
    """Return sentences that say why `path` is no model and give a way that works, or None if `path` is something else.

    `used_weights` are the names of the weights files that `models.toml` names.
    """
    if path.name.lower().endswith(_WEIGHTS):
        return None if path.name in used_weights else _weights_alone(path.name)
    if (path / _SAVED_MODEL).is_file():
        return _saved_model(path, kept_its_layers=(path / _WRITTEN_BY_KERAS_2).is_file())
    return None


def _weights_alone(file: str) -> str:
    return (
        f"{file} holds weights alone, without the model's layers. If they belong to an architecture of keras.applications, add the lines "
        f'`[my_model]`, `architecture = "mobilenet_v2"` (for example) and `weights = "{file}"` to models.toml. Otherwise build the model '
        f"in Keras and save it whole: `model.load_weights('{file}')`, then `model.save('my_model.keras')`."
    )


def _saved_model(path: Path, *, kept_its_layers: bool) -> str:
    if kept_its_layers:
        return (
            f"{path.name} is a SavedModel folder of Keras 2, which Keras 3 cannot read. Convert it in an environment with the package "
            f"tf_keras: `import tf_keras`, then `tf_keras.models.load_model('{path.name}').save('{path.name}.h5')`. "
            f"Put {path.name}.h5 into the models folder instead."
        )
    return (
        f"{path.name} is a SavedModel folder that was exported to be served. It holds computations and no layers. Where the model was "
        f"made, save the model itself: `model.save('{path.name}.keras')`."
    )
