"""Bifurcation analysis of discrete maps."""

from bifurcate import maps
from bifurcate.maps import Map

__all__ = ["Map", "maps"]
