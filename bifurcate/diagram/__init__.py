"""Whole diagrams: every branch from every switch, as a graph."""
