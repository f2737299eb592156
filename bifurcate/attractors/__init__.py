"""Where orbits go: every cycle of a period, attractors, their basins, and both as a parameter changes."""
