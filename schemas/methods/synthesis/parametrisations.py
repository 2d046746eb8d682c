"""The names of the parametrisations: what gradient ascent changes to form an image."""

from __future__ import annotations

from typing import Literal

ParametrisationName = Literal["pixel", "fourier", "phase"]
"""`pixel`: the pixels. `fourier`: a spectrum with decorrelated colours (Olah et al., Feature Visualization, Distill 2017). `phase`: the
phases of a spectrum whose magnitudes are those of photos (MaCo, Fel et al., arXiv:2306.06805)."""
