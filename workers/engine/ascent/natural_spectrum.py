"""The mean strength of each frequency of natural images, as a formula.

MaCo (Fel et al., arXiv:2306.06805) fixes the magnitudes of an image's spectrum at the mean of ImageNet, a table that the packages of
its authors download or contain. Here a wave of k cycles per image in the colour direction c has the magnitude a_c / k^α, which was
fitted to freely licensed photos. docs/decisions/0012-maco-without-imagenets-table.md describes the fit and compares it with the table.
"""

from __future__ import annotations

import numpy as np

from workers.contract.arrays import Float32

DECAY_POWER = 1.35
# a_c divided by the largest, in the order of `parametrisations.COLOUR_DIRECTIONS`.
COLOUR_SHARES = (0.95, 1.0, 0.85)
# The standard deviation of the planes before the sigmoid. MaCo has 1, and the contrast of photos would be 2.2. Chosen by eye.
CONTRAST = 1.3


def magnitudes(size: tuple[int, int], planes: int) -> Float32:
    """Return the magnitudes (planes, H, W // 2 + 1) of a spectrum; with phases, `irfft2` makes planes of it.

    k is counted in cycles along the longer side. The mean of each plane is 0. Three planes are the colour directions, and their root
    mean square is `CONTRAST`. With any other number, each plane is a colour and as strong as those of an RGB image: `CONTRAST` / √3.
    """
    height, width = size
    cycles = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :]) * max(height, width)
    cycles[0, 0] = np.inf
    wave = cycles**-DECAY_POWER
    columns = np.arange(width // 2 + 1)
    times = np.where((columns == 0) | (2 * columns == width), 1.0, 2.0)  # other columns stand for their mirror image too
    wave *= height * width * CONTRAST / np.sqrt((times * wave**2).sum())
    shares = np.array(COLOUR_SHARES) / np.sqrt(np.mean(np.square(COLOUR_SHARES))) if planes == 3 else np.full(planes, 3**-0.5)
    return (shares[:, None, None] * wave).astype(np.float32)
