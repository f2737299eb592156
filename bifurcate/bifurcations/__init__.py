"""Special points of a branch: their kinds, how they are noticed and located, and the curves that start there."""
