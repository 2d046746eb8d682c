"""The charts, one module each.

They are drawn with Pillow: that takes a few milliseconds, gives the same bytes each time, and spares the worker the import of a plotting
library.
"""
