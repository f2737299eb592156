"""Surfaces in three components."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import bifurcate as bf
from bifurcate.errors import InvalidInput


@pytest.fixture(scope="module")
def surface():
    f = lambda x, a: np.array([2 * x[0], 1.5 * x[1], 0.5 * x[2] + a * x[0] ** 2])  # noqa: E731
    return bf.manifold_surface(bf.solve(bf.Map(f, {"a": 1.0}), [0.0, 0.0, 0.0]), tolerance=0.1)


def test_it_draws_every_triangle_on_the_axes_given(surface):
    figure = plt.figure()
    given = figure.add_subplot(projection="3d")
    ax = bf.plot.surface(surface, ax=given, components=(1, 0, 2), zlabel="height", color="tab:green", alpha=0.5)
    (faces,) = ax.collections
    assert ax is given and len(faces.get_facecolor()) == len(surface.sheets[0].triangles)
    assert ax.get_zlabel() == "height" and ax.get_xlabel() == "component 1"
    low, high = ax.get_xlim()
    y = surface.sheets[0].points[:, 1]
    assert low < y.min() and high > y.max()
    assert set(np.round(faces.get_facecolor()[:, 3], 6)) == {0.5}
    plt.close(figure)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"components": (0, 1)}, "three numbers"),
        ({"components": (0, 1, 3)}, "states have 3 numbers"),
        ({"alpha": 2.0}, "between 0 and 1"),
        ({"color": "nonsense"}, "colour"),
    ],
)
def test_bad_arguments(surface, options, words):
    with pytest.raises(InvalidInput, match=words):
        bf.plot.surface(surface, **options)


def test_flat_axes_are_refused(surface):
    figure, ax = plt.subplots()
    with pytest.raises(InvalidInput, match="three-dimensional"):
        bf.plot.surface(surface, ax=ax)
    plt.close(figure)
