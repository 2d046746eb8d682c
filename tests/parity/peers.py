"""Import the libraries that results are compared with.

Stand-ins take the place of packages that the compared code does not need:
- torchvision: pytorch-grad-cam uses it to prepare images and for detection, and Zennit to know its networks. Its wheel does not import
  beside the CPU build of torch.
- TensorFlow Probability: Xplique uses it for HSIC. It requires Keras 2.
"""

from __future__ import annotations

import sys
import warnings

import keras
import saliency.core as pair_saliency
import torch

from tests.parity.stand_ins import stand_ins

with stand_ins("torchvision", "tensorflow_probability"):
    import captum.attr as captum
    import captum.metrics as captum_metrics
    import captum.robust as captum_robust
    import pytorch_grad_cam
    import xplique.attributions as xplique
    import xplique.metrics as xplique_metrics
    from lucent.optvis import objectives as lucent_objectives
    from lucent.optvis.param import color as lucent_colour
    from lucent.optvis.param import spatial as lucent_spatial
    from pytorch_grad_cam.metrics import road as grad_cam_road
    from pytorch_grad_cam.utils import image as grad_cam_image
    from xplique.attributions.global_sensitivity_analysis import hsic_estimators as xplique_hsic_estimators
    from xplique.attributions.global_sensitivity_analysis import replicated_designs as xplique_replicated_designs
    from xplique.attributions.global_sensitivity_analysis import samplers as xplique_samplers
    from xplique.features_visualizations import preconditioning as xplique_preconditioning
    from zennit import canonizers as zennit_canonizers
    from zennit import composites as zennit_composites
    from zennit import rules as zennit_rules
    from zennit import types as zennit_types

    # Python warns of unknown escapes in the docstrings of Quantus when it compiles them.
    with warnings.catch_warnings(category=DeprecationWarning if sys.version_info < (3, 12) else SyntaxWarning, action="ignore"):
        import quantus

__all__ = [
    "captum",
    "captum_metrics",
    "captum_robust",
    "grad_cam_image",
    "grad_cam_road",
    "keras",
    "lucent_colour",
    "lucent_objectives",
    "lucent_spatial",
    "pair_saliency",
    "pytorch_grad_cam",
    "quantus",
    "torch",
    "xplique",
    "xplique_hsic_estimators",
    "xplique_metrics",
    "xplique_preconditioning",
    "xplique_replicated_designs",
    "xplique_samplers",
    "zennit_canonizers",
    "zennit_composites",
    "zennit_rules",
    "zennit_types",
]
