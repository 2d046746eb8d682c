"""How strong each frequency of a photo is, on average: a law in place of a table.

MaCo (Fel et al., arXiv:2306.06805) holds the magnitudes of an image's spectrum at ImageNet's mean, a table that its authors' packages
fetch or carry. Here a wave of k cycles a picture in the colour direction c has the magnitude a_c / k^α, fitted to freely licensed
photos: docs/decisions/0012-maco-without-imagenets-table.md says how, and how near the table is.
"""

from __future__ import annotations

import numpy as np

from workers.contract.arrays import Float32

DECAY_POWER = 1.35
# a_c over the largest, in the order of `parametrisations.COLOUR_DIRECTIONS`.
COLOUR_SHARES = (0.95, 1.0, 0.85)
# Standard deviation of the planes, before the sigmoid; MaCo's is 1, that of photos' contrast 2.2. Chosen by looking.
CONTRAST = 1.3


def magnitudes(size: tuple[int, int], planes: int) -> Float32:
    """(planes, H, W // 2 + 1), which `irfft2` makes an image of once they are turned by phases; k is in cycles along the longer side.

    The mean of a plane is 0. The root mean square of three planes, which are colour directions, is `CONTRAST`; any other number are
    colours of their own, as strong as an RGB image's are on average: `CONTRAST` / √3.
    """
    height, width = size
    cycles = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :]) * max(height, width)
    cycles[0, 0] = np.inf
    wave = cycles**-DECAY_POWER
    columns = np.arange(width // 2 + 1)
    times = np.where((columns == 0) | (2 * columns == width), 1.0, 2.0)  # a column stands for its mirror as well
    wave *= height * width * CONTRAST / np.sqrt((times * wave**2).sum())
    shares = np.array(COLOUR_SHARES) / np.sqrt(np.mean(np.square(COLOUR_SHARES))) if planes == 3 else np.full(planes, 3**-0.5)
    return (shares[:, None, None] * wave).astype(np.float32)
