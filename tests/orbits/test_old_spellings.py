"""Old spellings of what iterates: each warns, names the new one, and gives the same."""

import numpy as np
import pytest

import bifurcate as bf


def test_old_spellings_warn_and_give_the_same():
    map, x0 = bf.maps.logistic(), [0.3]
    with pytest.warns(DeprecationWarning, match=r"parameters=\{'r': …\}"):
        old = bf.orbit(map, x0, 3, r=3.2)
    assert np.array_equal(old.states, bf.orbit(map, x0, 3, parameters={"r": 3.2}).states)
    with pytest.warns(DeprecationWarning, match="transient="):
        old = bf.orbit(map, x0, 3, 10)
    assert np.array_equal(old.states, bf.orbit(map, x0, 3, transient=10).states)
    with pytest.warns(DeprecationWarning):
        old = bf.ensemble(map, [x0], 3, r=[3.0, 3.2])
    assert np.array_equal(old.states, bf.ensemble(map, [x0], 3, parameters={"r": [3.0, 3.2]}).states)
    with pytest.warns(DeprecationWarning):
        old = bf.lyapunov(map, x0, 100)
    assert old.values == bf.lyapunov(map, x0, steps=100).values
    with pytest.warns(DeprecationWarning, match="samples="):
        old = bf.orbit_diagram(map, "r", [3.2], x0, lambda x, r: x[0], keep=4)
    assert np.array_equal(old.samples, bf.orbit_diagram(map, "r", [3.2], x0, lambda x, r: x[0], samples=4).samples)
