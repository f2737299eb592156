"""Orbits: iteration with a reason for the end, of one state or of many, orbit diagrams, and Lyapunov exponents."""
