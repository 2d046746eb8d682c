/** The methods' images and artifacts. `make typescript` writes this file from the methods' cards. */

/** The names of the artifacts that each method can make. */
export interface ArtifactNames {
  ablation_cam: "overlay" | "heatmap" | "map" | `map.${string}` | "animation";
  activation_atlas: "atlas" | "examples" | "tiles" | "cells" | "vectors" | "coordinates" | "places";
  activations: "grid" | `grid.${string}` | "activations" | `activations.${string}`;
  adversarial: "picture" | "changed" | "change" | "input" | "map.before" | "map.after";
  architecture: "drawing" | "svg" | "dot" | "json";
  attention_maps: "overlay" | "heatmap" | "attention";
  attention_rollout: "overlay" | "heatmap" | "map" | "animation";
  blur_ig: "picture" | "overlay" | "attribution" | "map" | "animation";
  chefer: "overlay" | "heatmap" | "map" | "animation";
  compare: "sheet" | `map.${string}` | "animation";
  compare_models: "sheet" | `map.${string}.${string}`;
  craft: "sheet" | "importances" | `maps.${string}` | "vectors" | "values" | "crops";
  deconvnet: "picture" | "overlay" | "attribution" | "map";
  deep_dream: "dream" | "image" | "curve";
  deep_lift: "picture" | "overlay" | "attribution" | "map" | "animation";
  dff: "sheet" | "parts" | `maps.${string}` | "vectors";
  eigen_cam: "overlay" | "heatmap" | "map" | `map.${string}` | "animation";
  element_wise_cam: "overlay" | "heatmap" | "map" | `map.${string}` | "animation";
  embedding: "plot" | "coordinates" | "features";
  excitation_backprop: "overlay" | "heatmap" | "map" | `map.${string}` | "animation";
  faithfulness: "chart" | "overlay" | "map" | "curves";
  feature_inversion: "sheet" | `inversion.${string}` | "images" | "curves";
  fem: "overlay" | "heatmap" | "map" | `map.${string}` | "animation";
  filter_atlas: "atlas" | "tiles" | "objectives" | "order";
  filters: "grid" | `${string}` | "images" | "curves" | "animation";
  full_grad: "picture" | "overlay" | "attribution" | "map" | "animation";
  grad_cam: "overlay" | "heatmap" | "map" | `map.${string}` | "animation";
  grad_cam_plus_plus: "overlay" | "heatmap" | "map" | `map.${string}` | "animation";
  grad_x_input: "picture" | "overlay" | "attribution" | "map" | "animation";
  gradient_rollout: "overlay" | "heatmap" | "map" | "animation";
  gradient_shap: "picture" | "overlay" | "attribution" | "map" | "animation";
  guided_backprop: "picture" | "overlay" | "attribution" | "map" | "animation";
  guided_grad_cam: "picture" | "overlay" | "attribution" | "map" | "animation";
  guided_ig: "picture" | "overlay" | "attribution" | "map" | "animation";
  hires_cam: "overlay" | "heatmap" | "map" | `map.${string}` | "animation";
  hsic: "overlay" | "heatmap" | "map" | "cells";
  integrated_gradients: "picture" | "overlay" | "attribution" | "map" | "animation";
  intervene: "picture" | "logits" | "probabilities" | "changed" | "later.before" | "later.after";
  kernel_shap: "overlay" | "heatmap" | "map" | "segments" | "weights";
  kpca_cam: "overlay" | "heatmap" | "map" | `map.${string}` | "animation";
  layer_cam: "overlay" | "heatmap" | "map" | `map.${string}` | "animation";
  lime: "overlay" | "heatmap" | "map" | "segments" | "weights";
  lrp: "picture" | "overlay" | "attribution" | "map" | "animation";
  map_measures: "chart" | "overlay" | "map" | "road";
  mean_map: "picture" | "mean" | "spread" | "count";
  nearest: "sheet" | "distances" | "query";
  occlusion: "overlay" | "heatmap" | "map" | "animation";
  partition_shap: "overlay" | "heatmap" | "map" | "attribution";
  predict: "chart" | "logits" | "probabilities";
  predict_batch: "sheet" | "logits" | "probabilities";
  rank_methods: "table" | "ranking" | "ranks";
  recipro_cam: "overlay" | "heatmap" | "map" | `map.${string}` | "animation";
  refine_cam: "overlay" | "heatmap" | "map" | `map.${string}` | "animation";
  rise: "overlay" | "heatmap" | "map" | "animation";
  saliency: "picture" | "overlay" | "attribution" | "map" | "animation";
  sandbox: "stages" | `stage_${string}` | `channels_${string}` | `kernel_${string}` | "output";
  score_cam: "overlay" | "heatmap" | "map" | `map.${string}` | "animation";
  shapley_cam: "overlay" | "heatmap" | "map" | `map.${string}` | "animation";
  smooth_grad: "picture" | "overlay" | "attribution" | "map" | "animation";
  sobol: "overlay" | "heatmap" | "map" | "cells";
  tcav: "sheet" | "scores" | "random_scores" | "derivatives" | "vectors";
  top_patches: "patches" | "values" | "positions";
  weights: "grid" | "histogram" | `${string}`;
  xgrad_cam: "overlay" | "heatmap" | "map" | `map.${string}` | "animation";
  xrai: "picture" | "overlay" | "attribution" | "map" | "animation" | "best" | "ranks";
}

/** The methods that look at one image. */
export type MethodWithImage =
  | "ablation_cam"
  | "activations"
  | "adversarial"
  | "attention_maps"
  | "attention_rollout"
  | "blur_ig"
  | "chefer"
  | "compare"
  | "deconvnet"
  | "deep_dream"
  | "deep_lift"
  | "eigen_cam"
  | "element_wise_cam"
  | "excitation_backprop"
  | "faithfulness"
  | "feature_inversion"
  | "fem"
  | "full_grad"
  | "grad_cam"
  | "grad_cam_plus_plus"
  | "grad_x_input"
  | "gradient_rollout"
  | "gradient_shap"
  | "guided_backprop"
  | "guided_grad_cam"
  | "guided_ig"
  | "hires_cam"
  | "hsic"
  | "integrated_gradients"
  | "intervene"
  | "kernel_shap"
  | "kpca_cam"
  | "layer_cam"
  | "lime"
  | "lrp"
  | "map_measures"
  | "nearest"
  | "occlusion"
  | "partition_shap"
  | "predict"
  | "recipro_cam"
  | "refine_cam"
  | "rise"
  | "saliency"
  | "sandbox"
  | "score_cam"
  | "shapley_cam"
  | "smooth_grad"
  | "sobol"
  | "xgrad_cam"
  | "xrai";

/** The methods that take several images. */
export type MethodWithImages =
  | "activation_atlas"
  | "compare_models"
  | "craft"
  | "dff"
  | "embedding"
  | "mean_map"
  | "nearest"
  | "predict_batch"
  | "rank_methods"
  | "tcav"
  | "top_patches";

/** The parameters of each method that name sets of photos. */
export const PHOTO_SET_FIELDS = {
  tcav: ["concepts", "random_sets"],
} as const;
