"""Branches of random cubic maps, whose special points are roots of polynomials: every theorem has exactly these."""

import numpy as np
import pytest

import bifurcate as bf


def random_branch(generator):
    """x ↦ p + a x + b x² + c x³ on p = x − a x − b x² − c x³, a branch over all x with λ = a + 2 b x + 3 c x²."""
    a, b, c = generator.uniform(-2.5, 2.5), generator.uniform(-1.0, 1.0), generator.uniform(-0.5, 0.5)
    low, high = sorted(generator.uniform(-1.5, 1.5, 2))
    map = bf.Map(lambda x, p, a, b, c: p + x * (a + x * (b + c * x)), {"p": 0.0, "a": a, "b": b, "c": c})
    xs = np.linspace(low, high, 12)
    ps = xs - a * xs - b * xs**2 - c * xs**3
    return map, (a, b, c), xs, ps


def roots_between(coefficients, low, high):
    roots = np.roots(coefficients)
    return sorted(float(x.real) for x in roots if abs(x.imag) < 1e-12 and low < x.real < high)


def check(count, seed):
    """How many theorems without gaps were proved of so many random branches."""
    from bifurcate.proofs.branches import prove_branch
    from bifurcate.proofs.pieces import BranchClaim

    generator, complete = np.random.default_rng(seed), 0
    for _ in range(count):
        map, (a, b, c), xs, ps = random_branch(generator)
        theorem = prove_branch(BranchClaim(map, dict(map.parameters), "p", 1, xs[:, None], ps))
        folds = roots_between([3.0 * c, 2.0 * b, a - 1.0], xs[0], xs[-1])
        flips = roots_between([3.0 * c, 2.0 * b, a + 1.0], xs[0], xs[-1])
        known = sorted([(x, "fold") for x in folds] + [(x, "flip") for x in flips])
        for piece in theorem.pieces:
            nodes = [tube.start[0] for tube in piece.tubes]
            last = piece.tubes[-1]
            begin, end = nodes[0], last.start[0] + last.chord[0]
            on_arc = [(x, kind) for x, kind in known if begin + 1e-9 < x < end - 1e-9]
            near_ends = [x for x, _ in known if min(abs(x - begin), abs(x - end)) <= 1e-9]
            if near_ends:
                continue
            found = [(point.states[0][0].middle, point.kind) for point in piece.special]
            assert [kind for _, kind in found] == [kind for _, kind in on_arc]
            assert np.allclose([x for x, _ in found], [x for x, _ in on_arc], atol=1e-7)
            for i, outside in enumerate(piece.outside):
                cuts = [begin, *[x for x, _ in on_arc], end]
                x = 0.5 * (cuts[i] + cuts[i + 1])
                assert outside == (abs(a + 2.0 * b * x + 3.0 * c * x**2) > 1.0)
        complete += theorem.complete
    return complete


def test_random_branches_have_exactly_their_special_points():
    assert check(60, seed=1) >= 55


@pytest.mark.slow
def test_many_random_branches_have_exactly_their_special_points():
    assert check(400, seed=2) >= 380
