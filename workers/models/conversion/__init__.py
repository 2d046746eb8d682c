"""Conversions of models that Keras 3 or the methods cannot use as they are stored."""
