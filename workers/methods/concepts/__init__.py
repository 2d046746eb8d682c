"""Methods that find concepts in a layer: parts, directions and regions of its activations."""
