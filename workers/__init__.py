"""Workers turn an image and the name of a model into arrays and pictures."""
