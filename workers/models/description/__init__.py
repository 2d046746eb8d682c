"""Descriptions of loaded models: layers, receptive fields, default layers and fingerprints, which workers publish for the service."""
