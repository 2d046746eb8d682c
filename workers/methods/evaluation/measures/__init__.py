"""The measures of a map, each as a plain function of arrays."""
