"""Turn arrays into pictures and bytes. Nothing here knows a model, a job or a store.

Where a new part goes:

- a colormap: a row of the table in `colormaps.py`, and its name in the `Colormap` type of the schemas;
- a way to draw a map on a photo: a module in `overlays/`;
- a chart: a module in `charts/`;
- a way to arrange pictures on a sheet: a module beside `grid.py`;
- a way to scale activations to levels of 0-255: `channel_levels.py`; to scale a map to 0-1: `scaling.py`.
"""
