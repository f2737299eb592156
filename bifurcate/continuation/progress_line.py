"""The old place of the line of progress, for one more version."""

from bifurcate.progress_line import Report, reporting

__all__ = ["Report", "reporting"]
