"""Draw a model's graph: write it in Graphviz's language, and let Graphviz lay it out."""
