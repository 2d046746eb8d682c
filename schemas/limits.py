"""Bounds on what one job may ask for."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class MethodLimits(BaseModel):
    """Checked at the door, when parameters meet the model's description."""

    model_config = ConfigDict(frozen=True)

    max_filters: int = Field(default=512, gt=0, description="Images one synthesis job makes.")
    max_synthesis_size: int = Field(default=512, gt=0, description="Side of a synthesised image, pixels.")
    max_steps: int = Field(default=2048, gt=0, description="Gradient-ascent steps.")
    max_synthesis_work: int = Field(default=1_100_000_000, gt=0, description="size² × steps × filters of one job.")
    max_atlas_pixels: int = Field(default=67_108_864, gt=0, description="size² × channels of one atlas.")
    max_layers: int = Field(default=64, gt=0, description="Layers whose activations one job returns.")
    max_classes: int = Field(default=16, gt=0, description="Classes one attribution job explains.")
    max_layer_weights: int = Field(default=25_000_000, gt=0, description="Weights of a layer that one job shows.")
    max_images: int = Field(default=256, gt=0, description="Uploaded images that one job reads.")
    max_images_pixels: int = Field(default=100_000_000, gt=0, description="Pixels of these images together.")
    max_masks: int = Field(default=8192, gt=0, description="Masked inputs that one perturbation job runs.")
