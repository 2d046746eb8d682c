"""Run jobs of varying kinds for a long time, and show that nothing grows with their number."""

NAME, TITLE = "soak", "Models, layers, methods and sizes vary under load"
