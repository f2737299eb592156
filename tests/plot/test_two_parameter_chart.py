"""Charts in two parameters: lines by kind, each point of codimension two once."""

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.errors import InvalidInput


@pytest.fixture(scope="module")
def flips():
    fixed = bf.trace(bf.cycles(bf.maps.henon(a=0.1), "a", [1.0, 0.3]), {"a": (-1, 2)})
    return bf.trace(bf.locus(fixed.first("flip"), free="b"), {"a": (-2, 5), "b": (-1.2, 0.9)})


def test_a_curve_is_drawn_where_it_lies_and_its_resonance_once(flips):
    ax = bf.plot.chart([flips, flips], "a", "b")
    first, mark = ax.lines[0], ax.lines[-1]
    assert np.allclose(first.get_xdata(), 0.75 * (1 - first.get_ydata()) ** 2)
    assert [text.get_text() for text in ax.texts] == ["R2"]
    assert np.allclose(np.ravel(mark.get_data()), (3.0, -1.0))
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["flip (PD), period 1"]


def test_branches_of_one_parameter_are_refused(flips):
    fixed = bf.trace(bf.cycles(bf.maps.henon(a=0.1), "a", [1.0, 0.3]), {"a": (0, 0.3)})
    with pytest.raises(InvalidInput, match="none of the 1 branches has both 'a' and 'b' free"):
        bf.plot.chart(fixed, "a", "b")
