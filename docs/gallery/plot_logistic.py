"""
The logistic map's doublings
============================

A whole diagram, over simulated orbits.
"""

import numpy as np

import bifurcate as bf

logistic = bf.maps.logistic(r=2.5)
diagram = bf.explore(bf.cycles(logistic, "r", [0.6]), {"r": (2.5, 3.57)}, depth=4)
seen = bf.orbit_diagram(logistic, "r", np.linspace(2.5, 4.0, 400), [0.3], lambda x: x[0])
ax = diagram.plot("r", orbits=seen, ylabel="x")
