"""The benchmark: the same work here and in what a user would otherwise run, side by side in one process."""
