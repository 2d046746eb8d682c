"""The colours and sizes that charts share."""

from __future__ import annotations

from rendering.text import Colour

BLUE: Colour = (31, 119, 180)
ORANGE: Colour = (222, 112, 21)
TRACK: Colour = (233, 237, 242)  # what a bar of full length would fill
FAINT: Colour = (110, 110, 110)
FRAME: Colour = (190, 190, 190)
PLOT_WIDTH = 900  # pixels
