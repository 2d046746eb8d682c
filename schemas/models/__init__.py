"""The contract describes a model here: its summary, its description, its layers, its preprocessing and its labels."""

from __future__ import annotations

from schemas.models.descriptions import (
    MODEL_NAME_PATTERN,
    NO_MODEL,
    AskedModelName,
    HeadKind,
    HeadSetting,
    ModelDescription,
    ModelName,
    ModelSourceName,
    ModelSummary,
    OutputHead,
    OutputKind,
)
from schemas.models.inputs import ArrayRule, AxesOrder, Bands, InputSpec, ModelInput, SixteenBits
from schemas.models.layers import REPEATING_KINDS, Layer, LayerKind, LayerPath, ReceptiveField, TokenGrid
from schemas.models.preprocessing import VARIABLE_LONGEST_SIDE, Fit, Preprocessing
from schemas.models.published import ClassLabel, PublishedModel, UnloadableModel

__all__ = [
    "MODEL_NAME_PATTERN",
    "NO_MODEL",
    "REPEATING_KINDS",
    "VARIABLE_LONGEST_SIDE",
    "ArrayRule",
    "AskedModelName",
    "AxesOrder",
    "Bands",
    "ClassLabel",
    "Fit",
    "HeadKind",
    "HeadSetting",
    "InputSpec",
    "Layer",
    "LayerKind",
    "LayerPath",
    "ModelDescription",
    "ModelInput",
    "ModelName",
    "ModelSourceName",
    "ModelSummary",
    "OutputHead",
    "OutputKind",
    "Preprocessing",
    "PublishedModel",
    "ReceptiveField",
    "SixteenBits",
    "TokenGrid",
    "UnloadableModel",
]
