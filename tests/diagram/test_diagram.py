"""What a diagram prints, draws and answers."""

import copy

import pytest
from diagrams import pitchfork

import bifurcate as bf
from bifurcate.errors import InvalidInput, NoSuchPoint


def test_what_a_diagram_says_and_draws(tmp_path):
    diagram = bf.explore(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (0.5, 3.56)}, depth=3)
    text = str(diagram)
    assert "BP at r = 1 " in text and "PD at r = 3 " in text and "3.449489743" in text and "3.54409036" in text
    diagram.plot("r").figure.savefig(tmp_path / "logistic.png")
    assert (tmp_path / "logistic.png").stat().st_size > 5000
    assert diagram.first("PD").kind == "flip"
    with pytest.raises(NoSuchPoint, match="no fold in this diagram of 4 branches"):
        diagram.first("fold")
    with pytest.raises(InvalidInput, match="no kind 'hopf'"):
        diagram.of("hopf")
    with pytest.raises(InvalidInput, match="none of this diagram's"):
        diagram.branches_at(bf.explore(bf.cycles(pitchfork(), "p", [0.0]), {"p": (-1, 1)}).special[0])


def test_a_copy_of_a_point_is_known():
    diagram = bf.explore(bf.cycles(pitchfork(), "p", [0.0]), {"p": (-1.0, 1.0)})
    (point,) = diagram.special
    assert diagram.branches_at(copy.copy(point)) == diagram.branches_at(point) == diagram.branches
