"""Limits of what one job may ask for."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class MethodLimits(BaseModel):
    """The service checks these limits before it accepts a job, when it resolves the parameters against the model's description."""

    model_config = ConfigDict(frozen=True)

    max_filters: int = Field(default=512, gt=0, description="One synthesis job may make at most this many images.")
    max_synthesis_size: int = Field(default=512, gt=0, description="A synthesised image may have at most this many pixels per side.")
    max_steps: int = Field(default=2048, gt=0, description="A synthesis may take at most this many gradient-ascent steps.")
    max_synthesis_work: int = Field(
        default=1_100_000_000, gt=0, description="The product size² × steps × filters of one synthesis job may be at most this."
    )
    max_atlas_pixels: int = Field(
        default=67_108_864, gt=0, description="The product size² × channels of one filter atlas may be at most this."
    )
    max_layers: int = Field(default=64, gt=0, description="One job may return the activations of at most this many layers.")
    max_classes: int = Field(default=16, gt=0, description="One attribution job may explain at most this many classes.")
    max_layer_weights: int = Field(
        default=25_000_000, gt=0, description="A layer whose weights a job shows may have at most this many weights."
    )
    max_images: int = Field(default=256, gt=0, description="One job may read at most this many uploaded images.")
    max_images_pixels: int = Field(
        default=100_000_000, gt=0, description="The uploaded images that one job reads may have at most this many pixels together."
    )
    max_frames: int = Field(default=64, gt=0, description="One job may explain at most this many frames of an animation.")
    max_models: int = Field(default=4, gt=1, description="One job may compare at most this many models.")
    max_masks: int = Field(default=8192, gt=0, description="One perturbation job may run at most this many masked inputs.")
