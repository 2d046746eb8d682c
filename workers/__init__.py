"""Workers: from an image and a model's name to arrays and pictures."""
