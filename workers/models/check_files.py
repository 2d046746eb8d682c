"""Load every file of the models folder once, and print which ones cannot be used. `convscope doctor` runs this as a program.

Its arguments are the settings file, the models folder and the limits as JSON.

Example: `python -m workers.models.check_files models.toml models '{}'` prints `{"broken": "'broken.keras' is not a .keras file …"}`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from catalog.catalog import load_catalog
from schemas.errors import VisualizationError
from workers.engine.forward_only.network import ForwardNetwork
from workers.models.description.describe import describe
from workers.models.description.describe_forward_only import describe_forward_only
from workers.models.limits import ModelLimits
from workers.models.loading import load_model


def faults(models_file: Path, models_dir: Path, limits: ModelLimits) -> dict[str, str]:
    """Return, by the model's name, why each model file that cannot be loaded or described cannot be used."""
    found: dict[str, str] = {}
    for name, entry in load_catalog(models_file, models_dir).items():
        if entry.file is not None:
            try:
                model = load_model(entry, limits)
                if isinstance(model, ForwardNetwork):
                    describe_forward_only(model, entry)
                else:
                    describe(model, entry, limits.custom_objects, limits.activations)
            except VisualizationError as error:
                found[name] = error.detail
    return found


def main() -> None:
    models_file, models_dir, limits = sys.argv[1:]
    sys.stdout.write(json.dumps(faults(Path(models_file), Path(models_dir), ModelLimits.model_validate_json(limits))) + "\n")


if __name__ == "__main__":
    main()
