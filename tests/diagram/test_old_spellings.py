"""Old names of what explore returns: each warns, and gives the same."""

import pytest

import bifurcate as bf


def test_names_of_what_was_not_followed():
    diagram = bf.explore(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (0.5, 3.3)}, depth=1)
    with pytest.warns(DeprecationWarning, match=r"write Diagram\.not_followed"):
        assert diagram.left == diagram.not_followed
    with pytest.warns(DeprecationWarning, match=r"write bifurcate\.FailedCurve"):
        assert bf.Failed is bf.FailedCurve
    assert all(data["piece"] is data["segment"] for *_, data in diagram.graph.edges(data=True))
