"""In two parameters: curves of special points, points of codimension two on them, and the curves that start there."""
