"""How Jacobians of iterates change with every unknown: against second derivatives by hand."""

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.errors import MapFailed
from bifurcate.maps.iterated_map import IteratedMap
from bifurcate.maps.jacobian_slopes import has_jacobian_slopes, jacobian_slopes

P = {"alpha": 0.3, "beta": 0.4, "R": -0.5}


def henon(*left_out, **given):
    """The generalised Hénon map without some of its derivatives, or with others."""
    full = bf.maps.generalised_henon(**P)
    parts = {name: getattr(full, name) for name in ("jacobian", "jvp", "parameter_derivative") if name not in left_out}
    return bf.Map(full.f, P, **{**parts, **given})


def by_hand(period, x, names):
    """∂J by x, y and parameters of the map's iterate, by the product rule on exact second derivatives of one step."""
    values = dict(P)

    def J(z):
        return np.array([[0.0, 1.0], [values["R"] * z[1] - values["beta"], values["R"] * z[0] - 2.0 * z[1]]])

    changes = {
        0: lambda z: np.array([[0.0, 0.0], [0.0, values["R"]]]),
        1: lambda z: np.array([[0.0, 0.0], [values["R"], -2.0]]),
        "alpha": lambda z: np.zeros((2, 2)),
        "beta": lambda z: np.array([[0.0, 0.0], [-1.0, 0.0]]),
    }
    pushes = {"alpha": lambda z: np.array([0.0, 1.0]), "beta": lambda z: np.array([0.0, -z[0]])}
    total = []
    for unknown in (0, 1, *names):
        z, M, G = np.array(x), np.eye(2), np.zeros((2, 2))
        d = np.eye(2)[unknown] if unknown in (0, 1) else np.zeros(2)
        for _ in range(period):
            change = d[0] * changes[0](z) + d[1] * changes[1](z)
            if unknown not in (0, 1):
                change = change + changes[unknown](z)
            G, M, d = J(z) @ G + change @ M, J(z) @ M, J(z) @ d
            if unknown not in (0, 1):
                d = d + pushes[unknown](z)
            step = values["alpha"] - values["beta"] * z[0] - z[1] ** 2 + values["R"] * z[0] * z[1]
            z = np.array([z[1], step])
        total.append(G)
    return np.array(total)


@pytest.mark.parametrize("period", [1, 3])
@pytest.mark.parametrize(
    "map",
    [
        henon(),
        henon("jvp"),
        henon("jacobian"),
        henon("jacobian", jvp=lambda z, v, alpha, beta, R: henon().jvp([float(each) for each in z], v, alpha, beta, R)),
        bf.Map(henon().f, P, derivative="complex"),
    ],
    ids=["all", "jacobian that does not broadcast", "jvp", "jvp that does not broadcast", "complex"],
)
def test_slopes_of_an_iterate(map, period):
    iterate, x = IteratedMap(map, (2,), period), np.array([0.2, -0.3])
    found = jacobian_slopes(iterate, iterate.orbit(x, P), P, ("beta", "alpha"))
    assert np.abs(found.along - by_hand(period, x, ("beta", "alpha"))).max() < 1e-8
    for j, name in enumerate(("beta", "alpha")):
        exact = iterate.parameter_derivative(iterate.orbit(x, P), P, name)
        assert np.abs(found.by_parameters[:, j] - exact).max() < 1e-13


def test_only_small_maps_with_exact_derivatives_have_them():
    plain = bf.Map(henon().f, P)
    ring = bf.maps.logistic_ring(n=5)
    assert has_jacobian_slopes(IteratedMap(henon(), (2,)))
    assert not has_jacobian_slopes(IteratedMap(plain, (2,))) and not has_jacobian_slopes(IteratedMap(ring, (5,)))


def test_a_jacobian_that_fails_beside_a_point_is_said():
    def J(z, **p):
        if z[0] > 0.2:
            raise ValueError("beyond 0.2")
        return np.array([[0.0, 1.0], [0.0, 0.0]])

    iterate = IteratedMap(bf.Map(henon().f, P, jacobian=J), (2,))
    with pytest.raises(MapFailed):
        jacobian_slopes(iterate, iterate.orbit(np.array([0.2, 0.0]), P), P, ("beta",))
