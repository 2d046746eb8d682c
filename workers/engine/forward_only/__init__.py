"""Models that can only be run: ONNX and TFLite files. They give outputs, but no activations and no gradients."""
