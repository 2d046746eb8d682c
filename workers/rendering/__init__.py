"""Maps → pictures: scaling, colour, overlay, grid, charts, encoding. Arrays only."""
