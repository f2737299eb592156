"""What a diagram shows of a branch."""

import numpy as np

import bifurcate as bf


def test_stability_around_a_point_has_names():
    branch = bf.trace(bf.cycles(bf.maps.logistic(r=2.0), "r", [0.5]), {"r": (2.0, 3.2)})
    around = bf.plot.stable_around(branch, branch.first("flip"))
    assert around.before is True and around.after is False and around.changes
    fold = bf.trace(bf.cycles(bf.Map(lambda x, p: x + p - x**2, {"p": 0.5}), "p", [0.7]), {"p": (-0.1, 0.6)})
    assert bf.plot.stable_around(fold, fold.first("fold")).changes


def test_an_observable_is_seen_at_every_state_of_a_cycle():
    map = bf.maps.logistic(r=3.2)
    branch = bf.trace(bf.cycles(map, "r", [0.8], period=2), {"r": (3.1, 3.3)})
    values = bf.plot.observe(branch, lambda x, r: r * x[0])
    components = bf.plot.observe(branch, np.int64(0))
    assert values.shape == components.shape == (len(branch), 2)
    assert np.allclose(values, branch["r"][:, None] * components)
