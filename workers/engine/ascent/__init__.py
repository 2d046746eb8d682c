"""Gradient ascent in input space: objective, parametrisation, transforms, regularisers, optimiser, and the loop that runs them."""
