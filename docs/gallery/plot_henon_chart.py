"""
The Hénon map in two parameters
===============================

Folds and flips with shades on the stable side, over Lyapunov exponents of simulated orbits.
"""

import numpy as np

import bifurcate as bf

henon = bf.maps.henon(a=0.1, b=0.3)
plane = bf.explore(bf.cycles(henon, "a", [1.0, 0.3]), {"a": (-0.4, 2.0), "b": (-0.4, 0.8)}, depth=2)
values = {"a": np.linspace(-0.4, 2.0, 120), "b": np.linspace(-0.4, 0.8, 100)}
seen = bf.parameter_plane(henon, values, [0.05, 0.05], exponents=300)
ax = plane.chart("a", "b", stable_side=True, underneath=seen)
