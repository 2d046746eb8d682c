"""The photos of the gallery that are not its usual one."""

from __future__ import annotations

from collections.abc import Mapping

OTHER_PHOTOS: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "grad_cam",
            "grad_cam_plus_plus",
            "layer_cam",
            "element_wise_cam",
            "score_cam",
            "ablation_cam",
            "recipro_cam",
            "shapley_cam",
            "refine_cam",
        ),
        "cat_and_coffee.jpg",
    ),
    **dict.fromkeys(("deep_lift", "sobol", "hsic"), "cat_and_coffee.jpg"),
    **dict.fromkeys(
        (
            "occlusion",
            "rise",
            "faithfulness",
            "map_measures",
            "lime",
            "kernel_shap",
            "partition_shap",
            "gradient_shap",
            "guided_ig",
            "xrai",
            "integrated_gradients",
            "saliency",
            "smooth_grad",
            "grad_x_input",
        ),
        "coffee.jpg",
    ),
}
"""The photos on which these methods have something to say: two objects, or one that does not fill the photo."""
