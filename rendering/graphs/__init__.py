"""Lay out a model's graph in rows, draw it as pixels and SVG, and write it in Graphviz's language."""
