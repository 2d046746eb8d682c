"""Find which sides a network with free sides takes, by running it. Its layers are not known, so sizes cannot be reckoned."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from workers.engine.forward_only.network import ForwardNetwork
from workers.engine.free_sides import SideRule, multiples_plus, sizes_plus

_MULTIPLES = (1, 2, 4, 8, 16, 32, 64, 3, 6, 12)
_ABOUT = 160  # pixels a side: the maps of most networks are not empty, and a pass is short
_MOST_PLUS = 16  # with a remainder, powers of two up to this number are tried


def tried_side_rule(network: ForwardNetwork, longest: int) -> SideRule:
    """Return the rule for the free sides of the input that takes the image: the first one under which the network runs.

    If it runs under no rule, the sides are not known to need anything. It runs on noise, once for each size that is tried.

    Args:
        network: the network.
        longest: the largest side to try as the smallest one.
    """
    if network.image.height is not None and network.image.width is not None:
        return SideRule()
    for multiple in _MULTIPLES:
        if _runs(network, sizes_plus(multiple, 0, _ABOUT)):
            return SideRule(multiple, 0, _smallest(network, multiple, 0, longest))
    for multiple, remainder in multiples_plus(_MOST_PLUS):
        if _runs(network, sizes_plus(multiple, remainder, _ABOUT)):
            return SideRule(multiple, remainder, _smallest(network, multiple, remainder, longest))
    return SideRule()


def _smallest(network: ForwardNetwork, multiple: int, remainder: int, longest: int) -> int:
    """Return the smallest side with which the network runs. If it runs with a side, it runs with longer ones too."""
    low, high = (0 if remainder else 1), max(1, min(_ABOUT, longest - remainder) // multiple)
    while low < high:
        middle = (low + high) // 2
        side = middle * multiple + remainder
        if _runs(network, [(side, side)]):
            high = middle
        else:
            low = middle + 1
    return low * multiple + remainder


def _runs(network: ForwardNetwork, sizes: Iterable[tuple[int, int]]) -> bool:
    """Return whether the network gives finite outputs for inputs of these sizes, of which only the free sides count."""
    image, asked = network.image, [(output.name, False) for output in network.outputs]
    for height, width in sizes:
        shape = (1, image.height or height, image.width or width, image.channels)
        noise = np.random.default_rng(0).uniform(0, 1, shape).astype(np.float32)
        try:
            found = network.run(noise, asked)
        except Exception:  # the runtimes raise errors of many classes
            return False
        if not all(values.size for values in found):
            return False
    return True
