"""The old place of Progress, for one more version."""

from bifurcate.progress import Progress

__all__ = ["Progress"]
