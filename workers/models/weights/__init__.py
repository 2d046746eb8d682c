"""Weights of models: downloads from `keras.applications`, random weights, and PyTorch checkpoints."""
