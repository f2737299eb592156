"""
How fast an orbit converges
===========================

The distance from a fixed point, beside the multiplier's power.
"""

import bifurcate as bf

logistic = bf.maps.logistic(r=2.8)
rest = bf.solve(logistic, [0.6])
ax = bf.plot.convergence(bf.orbit(logistic, [0.1], 80), rest.state, rate=float(rest.multipliers[0].real), label="orbit")
