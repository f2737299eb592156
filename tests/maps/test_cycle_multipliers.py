"""Multipliers at any state, against closed forms and NumPy."""

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.errors import InvalidInput, OutsideDomain


@pytest.mark.parametrize("period", [1, 2, 5])
def test_multipliers_are_eigenvalues_of_the_product_of_jacobians(period):
    henon, x = bf.maps.henon(a=1.2, b=0.3), np.array([0.3, 0.2])
    J, z = np.eye(2), x
    for _ in range(period):
        J, z = np.array([[-2.4 * z[0], 1.0], [0.3, 0.0]]) @ J, henon(z)
    expected = np.linalg.eigvals(J)
    found = bf.multipliers(henon, x, period=period)
    order = np.argsort(-np.abs(expected))
    assert np.abs(found.values - expected[order]).max() < 1e-12 * np.abs(expected).max()
    assert found.complete and found.multiplicities_resolved


def test_parameters_replace_the_maps_own():
    steps = bf.Map(lambda x, steps: steps * x * (1 - x), {"steps": 2.5})
    assert bf.multipliers(steps, [0.0]).values[0] == pytest.approx(2.5, abs=1e-10)
    assert bf.multipliers(steps, [0.0], parameters={"steps": 3.5}).values[0] == pytest.approx(3.5, abs=1e-10)


def test_states_of_any_shape():
    ring = bf.Map(lambda X, r: r * X * (1 - X), {"r": 2.0})
    found = bf.multipliers(ring, np.full((2, 3), 0.25))
    assert found.size == 6 and np.abs(found.values - 1.0).max() < 1e-10


def test_what_is_refused():
    root = bf.Map(lambda x, p: p - np.sqrt(x), {"p": 0.5}, domain=lambda x, p: x)
    assert bf.multipliers(root, [1.0]).values[0] == pytest.approx(-0.5, abs=1e-9)
    with pytest.raises(OutsideDomain, match="within 2 steps"):
        bf.multipliers(root, [1.0], period=2)
    for wrong, words in (({"period": 0}, "period is 0"), ({"parameters": {"q": 1.0}}, "no parameter 'q'")):
        with pytest.raises(InvalidInput, match=words):
            bf.multipliers(root, [1.0], **wrong)
    with pytest.raises(InvalidInput, match="map must be a Map"):
        bf.multipliers(abs, [1.0])
