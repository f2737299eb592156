"""
A cobweb
========

An orbit of the logistic map between its graph and the diagonal.
"""

import bifurcate as bf

ax = bf.plot.cobweb(bf.maps.logistic(r=3.7), 0.1, 60)
