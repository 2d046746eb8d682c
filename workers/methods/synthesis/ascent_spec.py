"""Turn the parameters of `filters` and `filter_atlas` into the specification of an ascent, which the engine runs."""

from __future__ import annotations

from schemas.methods.synthesis.ascent_params import AscentParams
from schemas.methods.synthesis.regularisers import Regularisers
from schemas.methods.synthesis.transforms import Transforms
from schemas.models import Preprocessing
from workers.contract.synthesis import AscentSpec, Objective
from workers.methods.synthesis.recipes import RECIPES, STARTS, units


def ascent_spec(params: AscentParams, objective: Objective, preprocessing: Preprocessing) -> AscentSpec:
    """Return the ascent towards `objective` that resolved parameters ask for."""
    recipe = RECIPES[params.preset]
    scale, offset = units(recipe, preprocessing)
    return AscentSpec(
        objective=objective,
        parametrisation=params.parametrisation or "fourier",
        size=params.sides(),
        steps=params.steps or 0,
        learning_rate=params.learning_rate or 0.0,
        optimizer=recipe.optimizer,
        gradient_norm=recipe.gradient_norm,
        start=STARTS.get(params.parametrisation or "fourier", recipe.start),
        transforms=params.transforms or Transforms(),
        regularisers=params.regularisers or Regularisers(),
        seed=params.seed,
        precision=params.precision,
        scale=scale,
        offset=offset,
        redirect=recipe.redirect,
    )
