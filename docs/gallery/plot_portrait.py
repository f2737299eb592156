"""
A phase portrait
================

Saddles with the directions of their multipliers, over the Hénon attractor.
"""

import bifurcate as bf

henon = bf.maps.henon(a=1.4, b=0.3)
saddles = bf.deflate(henon, [[1.0, 0.3], [-1.0, -0.3]]).solutions
ax = bf.plot.phase_portrait(saddles, orbits=bf.orbit(henon, [0.1, 0.1], 8000, transient=100), xlabel="x", ylabel="y")
