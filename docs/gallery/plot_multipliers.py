"""
Multipliers along a branch, and in the plane
============================================

The Neimark–Sacker point of the delayed logistic map.
"""

import numpy as np

import bifurcate as bf

delayed = bf.Map(lambda z, r: np.array([r * z[0] * (1 - z[1]), z[0]]), {"r": 1.8})
branch = bf.trace(bf.cycles(delayed, "r", [0.44, 0.44]), {"r": (1.2, 2.4)})
along = bf.plot.multipliers_along(branch, "r")

# %%
# At r = 2 the pair is e^{±iπ/3}.
plane = bf.plot.multipliers(branch.first("NS"))
