"""
A matrix of weights
===================

The adaptation network's weights at rest: values of both signs, so that the colours diverge about 0.
"""

import numpy as np

import bifurcate as bf

net = bf.adaptation.ring(32, (0.8, 0.0), (0.8, np.pi / 2), alpha=0.3, beta=-0.1, sigma=1 / 6, b=0.05)
degrees = np.arange(32) * 180 / 32
ax = bf.plot.heatmap(
    net.equilibrium(), coordinates=degrees, label="W", xlabel="neuron (°)", ylabel="neuron (°)", levels=0
)
