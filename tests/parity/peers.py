"""The libraries compared with.

What stands in for what, and why: torchvision from the package index is built for another torch than the CPU build and then does
not import (pytorch-grad-cam uses it to prepare images and for detection); TensorFlow Probability asks for Keras 2 (Xplique: HSIC);
scikit-image, scikit-learn and SciPy are used by neither for what is compared here (segmentation, NMF, kernel PCA, 3-D zoom, linear models).
"""

from __future__ import annotations

import keras  # before the stand-ins: it takes scikit-learn where there is one
import torch

from tests.parity.stand_ins import stand_ins

with stand_ins("torchvision", "tensorflow_probability", "skimage", "sklearn", "scipy"):
    import captum.attr as captum
    import pytorch_grad_cam
    import xplique.attributions as xplique
    import xplique.metrics as xplique_metrics
    from lucent.optvis import objectives as lucent_objectives
    from lucent.optvis.param import color as lucent_colour
    from lucent.optvis.param import spatial as lucent_spatial
    from xplique.features_visualizations import preconditioning as xplique_preconditioning

__all__ = [
    "captum",
    "keras",
    "lucent_colour",
    "lucent_objectives",
    "lucent_spatial",
    "pytorch_grad_cam",
    "torch",
    "xplique",
    "xplique_metrics",
    "xplique_preconditioning",
]
