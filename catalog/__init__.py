"""The catalogue: which models there are, and where they come from. It needs neither TensorFlow nor a worker."""
