"""Invariant manifolds of saddles, connecting orbits, and closed invariant curves with their rotation numbers."""
