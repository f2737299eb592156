"""Is an update a gradient flow? Verdicts on maps whose truth is known in closed form."""

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

import bifurcate as bf
from bifurcate import gradient
from bifurcate.errors import InvalidInput, NotConverged, OutsideDomain
from bifurcate.gradient.any_metric_test import _disc

RATE = 0.1


def symmetric(rng, n):
    """A random symmetric, positive definite matrix."""
    B = rng.standard_normal((n, n))
    return B @ B.T / n + 0.2 * np.eye(n)


def antisymmetric(rng, n):
    B = rng.standard_normal((n, n))
    return B - B.T


def linear(A, **extra):
    """x ↦ x − RATE A x."""
    return bf.Map(lambda x: x - RATE * A @ x, {}, **extra)


def rosenbrock(turn=0.0):
    """Descent on (1 − x)² + 100 (y − x²)², with a rotation added; Jacobians by differences."""

    def f(z):
        x, y = z
        slope = np.array([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)])
        return z - 1e-3 * slope + turn * np.array([-y, x])

    return bf.Map(f, {})


def apart(found, expected):
    """How far an energy is from a multiple of another plus a constant, relative to its range; and the multiple."""
    fit = np.polyfit(expected, found, 1)
    return np.ptp(found - np.polyval(fit, expected)) / np.ptp(found), fit[0]


# The Euclidean metric


@pytest.mark.parametrize("seed", range(4))
def test_descent_on_a_quadratic_is_reconstructed(seed):
    rng = np.random.default_rng(seed)
    A = symmetric(rng, 5)
    states = rng.standard_normal((6, 5))
    found = gradient.euclidean(linear(A), states, seed=seed)
    assert found.kind == "reconstructed" and found.residual < 1e-8
    energies = np.array([found.energy(x) for x in states])
    expected = np.array([0.5 * RATE * x @ A @ x for x in states])
    assert np.ptp(energies - expected) < 1e-12 * np.ptp(expected)


def test_descent_on_rosenbrock_is_reconstructed():
    states = np.random.default_rng(3).uniform(-1.5, 1.5, (10, 2))
    found = gradient.euclidean(rosenbrock(), states)
    assert found.kind == "reconstructed" and found.residual < 1e-8
    energies = np.array([found.energy(x) for x in states])
    expected = np.array([1e-3 * ((1 - x) ** 2 + 100 * (y - x * x) ** 2) for x, y in states])
    assert np.ptp(energies - expected) < 1e-11


@pytest.mark.parametrize("n", [2, 5, 40])
def test_a_rotation_added_is_refuted_and_the_certificate_holds(n):
    rng = np.random.default_rng(n)
    A, S = symmetric(rng, n), antisymmetric(rng, n)
    map, states = linear(A + 0.1 * S), rng.standard_normal((3, n))
    found = gradient.euclidean(map, states)
    assert found.kind == "refuted"
    shown = found.certificate
    assert shown.forward == pytest.approx(-RATE * shown.u @ (A + 0.1 * S) @ shown.v, abs=1e-10)
    assert shown.backward == pytest.approx(-RATE * shown.v @ (A + 0.1 * S) @ shown.u, abs=1e-10)
    assert abs(shown.forward - shown.backward) > 1e4 * shown.error
    exact = np.linalg.norm(0.2 * S) / np.linalg.norm(A + 0.1 * S)
    assert shown.estimate == pytest.approx(exact, abs=max(4 * shown.standard_error, 1e-9))
    assert (shown.standard_error == 0.0) == (n <= 24)


def test_rosenbrock_with_a_rotation_is_refuted_in_every_metric():
    states = np.random.default_rng(3).uniform(-1.5, 1.5, (10, 2))
    found = gradient.euclidean(rosenbrock(turn=1e-3), states)
    assert found.kind == "refuted"
    assert abs(found.certificate.forward - found.certificate.backward) == pytest.approx(2e-3, abs=1e-9)
    # At (1, 1) the Hessian has eigenvalues of about 1000 and 0.4: a pair turns complex only if the rotation is strong.
    strong = rosenbrock(turn=1.0)
    assert gradient.diagonal(strong, states).kind == "refuted"
    pair = gradient.any_metric(strong, [0.0, 0.0]).certificate
    H = np.array([[-400 * (pair.state[1] - 3 * pair.state[0] ** 2) + 2, -400 * pair.state[0]], [0, 200]])
    H[1, 0] = H[0, 1]
    exact = np.linalg.eigvals(np.eye(2) - 1e-3 * H + [[0, -1], [1, 0]])
    assert np.abs(exact - pair.multiplier).min() < pair.error < 1e-6


def test_the_estimate_is_unbiased_and_its_error_bar_honest():
    n, rng = 60, np.random.default_rng(0)
    A, S = symmetric(rng, n), antisymmetric(rng, n)
    map = linear(A + 0.05 * S, jacobian=lambda x: np.eye(n) - RATE * (A + 0.05 * S))
    exact = np.linalg.norm(0.1 * S) / np.linalg.norm(A + 0.05 * S)
    found = [gradient.asymmetry(map, np.zeros(n), probes=16, seed=seed) for seed in range(150)]
    estimates = np.array([each.estimate for each in found])
    errors = np.array([each.standard_error for each in found])
    assert abs(estimates.mean() - exact) < 4 * estimates.std() / np.sqrt(len(found))
    assert 0.6 * estimates.std() < errors.mean() < 1.7 * estimates.std()
    assert np.mean(np.abs(estimates - exact) < 2 * errors) > 0.85


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 6), turn=st.sampled_from([0.0, 1e-6, 1e-3, 1.0]))
def test_gradients_are_never_refuted_and_others_always(seed, n, turn):
    """E = Σ log cosh(Bx) + |x|⁴/4 and a rotation of any strength above rounding."""
    rng = np.random.default_rng(seed)
    B, S = rng.standard_normal((n + 1, n)), antisymmetric(rng, n)
    map = bf.Map(lambda x: x - RATE * (B.T @ np.tanh(B @ x) + x * (x @ x) + turn * S @ x), {})
    found = gradient.euclidean(map, rng.standard_normal((4, n)), seed=seed)
    assert found.kind == ("refuted" if turn and n > 1 else "reconstructed")


def test_a_field_without_curl_around_a_hole_is_refuted_by_a_loop():
    """(−y, x)/|x|² is a gradient near every point, and its circulation around 0 is 2π."""
    vortex = bf.Map(
        lambda z: z + RATE * np.array([-z[1], z[0]]) / (z @ z), {}, domain=lambda z: z @ z - 0.01, scale=0.3
    )
    corners = np.array([[np.cos(t), np.sin(t)] for t in (0.1, 2.2, 4.3)])
    found = gradient.euclidean(vortex, corners)
    assert found.kind == "refuted" and isinstance(found.certificate, gradient.Loop)
    assert abs(found.certificate.value) == pytest.approx(2 * np.pi * RATE, abs=1e-10)
    assert gradient.asymmetry(vortex, corners[0]).significant is False
    # On one side of the hole there is an energy, the angle.
    side = np.array([[np.cos(t), np.sin(t)] for t in (0.1, 0.5, 1.2, 1.4)])
    found = gradient.euclidean(vortex, side)
    assert found.kind == "reconstructed"
    assert found.energy(side[1]) - found.energy(side[2]) == pytest.approx(RATE * 0.7, abs=1e-11)
    # Where the lines between the states leave the domain nothing is claimed.
    across = np.array([[1.0, 0.0], [-1.0, 1e-3], [0.0, 1.0]])
    found = gradient.euclidean(vortex, across)
    assert found.kind == "consistent" and "domain" in found.note


def test_a_wrong_derivative_does_not_refute_a_gradient():
    """A jvp that is off by less than what a Map refuses must not count as a rotation of the map itself."""
    rng = np.random.default_rng(5)
    A, S = symmetric(rng, 4), antisymmetric(rng, 4)
    off = linear(A, jvp=lambda x, v: v - RATE * A @ v + 1e-7 * S @ v)
    assert gradient.euclidean(off, rng.standard_normal((4, 4))).kind != "refuted"
    assert gradient.diagonal(off, rng.standard_normal((4, 4))).kind != "refuted"


# Circulations


def test_circulations_of_linear_fields_are_curl_times_area():
    rng = np.random.default_rng(1)
    A = rng.standard_normal((4, 4))
    map = linear(A)
    corners = rng.standard_normal((5, 4))
    curl = -RATE * (A.T - A)  # ∮ G·dx = Σ ½ aᵀ(Jᵀ − J)b over the edges a → b
    expected = sum(0.5 * a @ curl @ b for a, b in zip(corners, np.roll(corners, -1, axis=0)))
    around = gradient.circulation(map, corners)
    assert around.value == pytest.approx(expected, abs=10 * around.error) and around.error < 1e-13
    c, u, v = rng.standard_normal((3, 4))
    around = gradient.circulation(map, gradient.Ellipse(c, u, v))
    assert around.value == pytest.approx(np.pi * u @ curl @ v, abs=10 * around.error) and around.error < 1e-13


def test_small_circulations_are_stokes():
    map = bf.Map(lambda z: z + np.array([np.sin(z[1]), np.exp(z[0]) * z[1]]), {})
    c, e = np.array([0.3, -0.4]), 1e-3
    square = c + e * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    curl = np.exp(c[0]) * c[1] - np.cos(c[1])
    assert gradient.circulation(map, square).value / (4 * e * e) == pytest.approx(curl, abs=1e-6)


def test_the_error_of_a_rough_circulation_says_so():
    kinked = bf.Map(lambda z: z + np.array([abs(z[1] - 0.1234), 0.0]), {})
    triangle = np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    around = gradient.circulation(kinked, triangle)
    exact = (0.1234**2 + 0.8766**2) / 2 - 0.8766  # ∫ along the diagonal, and back along y = 1
    assert 1e-13 < abs(around.value - exact) < 10 * around.error


def test_circulations_refuse_what_they_cannot_walk():
    map = linear(np.eye(2), domain=lambda x: 1.0 + x[0])
    with pytest.raises(OutsideDomain, match="leaves the domain"):
        gradient.circulation(map, gradient.Ellipse([0.0, 0.0], [2.0, 0.0], [0.0, 1.0]))
    with pytest.raises(InvalidInput, match="at least 3"):
        gradient.circulation(map, [[0.0, 0.0], [1.0, 0.0]])
    with pytest.raises(InvalidInput, match="ellipse"):
        gradient.circulation(map, gradient.Ellipse([0.0, 0.0], [2.0], [0.0, 1.0]))


# Diagonal metrics


def hidden(rng, n):
    """Natural gradient of E = Σ log cosh(Bx + c) with mᵢ(xᵢ) = exp(aᵢ sin(xᵢ + pᵢ) + kᵢ): the map, the metric, E."""
    B, c = rng.standard_normal((n + 2, n)), rng.standard_normal(n + 2)
    a, p, k = rng.uniform(-1, 1, (3, n))

    def m(x):
        return np.exp(a * np.sin(x + p) + k)

    def E(x):
        return np.log(np.cosh(B @ x + c)).sum()

    return bf.Map(lambda x: x - RATE * B.T @ np.tanh(B @ x + c) / m(x), {}), m, E


@pytest.mark.parametrize("n", [2, 3, 6])
@pytest.mark.parametrize("seed", range(3))
def test_a_hidden_diagonal_metric_is_recovered(n, seed):
    rng = np.random.default_rng(100 * n + seed)
    map, m, E = hidden(rng, n)
    states = rng.uniform(-1, 1, (7, n))
    assert gradient.euclidean(map, states).kind == "refuted"
    found = gradient.diagonal(map, states)
    assert found.kind == "reconstructed" and found.residual < 1e-6
    quotients = np.array([found.metric(x) / m(x) for x in states])
    assert np.ptp(quotients) < 1e-7 * quotients.mean()
    assert np.ptp(np.log(quotients)) < 10 * found.metric.error
    off, factor = apart(np.array([found.energy(x) for x in states]), np.array([E(x) for x in states]))
    assert off < 1e-7 and factor == pytest.approx(RATE * quotients.mean(), rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_a_hidden_metric_and_a_millionth_of_a_rotation_is_refuted(seed):
    rng = np.random.default_rng(seed)
    map = hidden(rng, 3)[0]
    S = antisymmetric(rng, 3)
    turned = bf.Map(lambda x: map(x) + 1e-6 * S @ x, {})
    found = gradient.diagonal(turned, rng.uniform(-1, 1, (6, 3)))
    assert found.kind == "refuted"
    shown = found.certificate
    assert isinstance(shown, gradient.CouplingCycle) and len(shown.indices) == 3

    def product(way):  # of entries by plain central differences
        h, total = 1e-4, 1.0
        for i, j in zip(way, np.roll(way, -1)):
            e = h * np.eye(3)[j]
            total *= (turned(shown.state + e) - turned(shown.state - e))[i] / (2 * h)
        return total

    forward, backward = product(np.array(shown.indices)), product(np.array(shown.indices)[::-1])
    assert forward - backward == pytest.approx(shown.forward - shown.backward, rel=0.2)


def test_chains_groups_and_coordinates_on_their_own():
    """Couplings 0–1–2, 3–4 and 5 alone: constants are comparable within a group only."""
    m = np.array([1.0, 2.0, 5.0, 3.0, 0.5, 7.0])
    A = np.diag([3.0, 3.0, 3.0, 3.0, 3.0, 3.0])
    for i, j in ((0, 1), (1, 2), (3, 4)):
        A[i, j] = A[j, i] = 1.0
    states = np.random.default_rng(2).standard_normal((6, 6))
    map = bf.Map(lambda x: x - RATE * (A @ x + x**3) / m, {})
    found = gradient.diagonal(map, states)
    assert found.kind == "reconstructed"
    group = found.metric.group
    assert group[0] == group[1] == group[2] and group[3] == group[4] and len(set(group)) == 3
    quotient = found.metric(states[0]) / m
    assert np.ptp(quotient[:3]) < 1e-8 and np.ptp(quotient[3:5]) < 1e-8 and quotient[5] == pytest.approx(1 / 7)


def test_a_broken_triangle_is_refuted_by_its_products():
    A = np.array([[2.0, 0.3, 0.2], [0.6, 2.0, 0.5], [0.2, 0.4, 2.0]])
    found = gradient.diagonal(linear(A), np.eye(3))
    assert found.kind == "refuted"
    shown = found.certificate
    i, j, k = shown.indices
    J = -RATE * A
    assert shown.forward == pytest.approx(J[i, j] * J[j, k] * J[k, i], rel=1e-9)
    assert shown.backward == pytest.approx(J[i, k] * J[k, j] * J[j, i], rel=1e-9)
    assert abs(shown.forward - shown.backward) > 1e3 * shown.error


def test_a_broken_square_without_triangles_is_refuted():
    A = 2.0 * np.eye(4)
    for i in range(4):
        A[i, (i + 1) % 4], A[(i + 1) % 4, i] = 0.5, 0.4
    found = gradient.diagonal(linear(A), np.eye(4))
    assert found.kind == "refuted" and sorted(found.certificate.indices) == [0, 1, 2, 3]
    ratio = found.certificate.forward / found.certificate.backward
    assert max(ratio, 1 / ratio) == pytest.approx(1.25**4, rel=1e-9)


@pytest.mark.parametrize("back", [-0.2, 0.0])
def test_couplings_of_opposite_signs_or_one_way_are_refuted(back):
    A = np.array([[2.0, 0.3], [back, 1.0]])
    found = gradient.diagonal(linear(A), np.eye(2))
    assert found.kind == "refuted"
    shown = found.certificate
    assert {round(shown.forward, 9), round(shown.backward, 9)} == {-0.03, round(-RATE * back, 9)}


def test_a_metric_that_is_not_separable_is_refuted_by_four_states():
    """m₁ = 1 + x₂² in two dimensions: no cycle to fail, yet log(J₁₂/J₂₁) is no sum of functions of x₁ and x₂."""
    A = np.array([[2.0, 1.0], [1.0, 3.0]])

    def G(x):
        return -RATE * (A @ x + x**3) / np.array([2.0 + np.sin(x[0] * x[1]), 1.0])

    rng = np.random.default_rng(4)
    found = gradient.diagonal(bf.Map(lambda x: x + G(x), {}), rng.uniform(-0.5, 0.5, (6, 2)))
    assert found.kind == "refuted"
    shown = found.certificate
    assert isinstance(shown, gradient.Separability)
    for x, value in zip(shown.states, shown.logarithms):
        h = 1e-5
        ij = (G(x + h * np.eye(2)[shown.j]) - G(x - h * np.eye(2)[shown.j]))[shown.i]
        ji = (G(x + h * np.eye(2)[shown.i]) - G(x - h * np.eye(2)[shown.i]))[shown.j]
        assert value == pytest.approx(np.log(ij / ji), abs=1e-7)
    assert abs(shown.defect) > 100 * shown.error
    x, a, b, base = shown.states
    assert a[shown.i] == x[shown.i] and b[shown.j] == x[shown.j]
    assert a[shown.j] == base[shown.j] and b[shown.i] == base[shown.i]


def test_a_base_that_says_nothing_of_a_coordinate_is_not_believed():
    """x₃ is coupled to the others through x₃² alone, so not at states where x₃ = 0."""
    m = np.array([1.0, 2.0, 4.0])

    def f(x):  # E = (x₁² + x₂² + x₃²)/2 + x₁x₂/2 + (x₁ + x₂) x₃²
        a, b, c = x
        return x - RATE * np.array([a + b / 2 + c * c, b + a / 2 + c * c, c + 2 * (a + b) * c]) / m

    rng = np.random.default_rng(0)
    flat = np.column_stack([rng.uniform(0.1, 0.5, (5, 2)), np.zeros(5)])
    some = np.vstack([flat, rng.uniform(0.1, 0.5, (2, 3))])
    found = gradient.diagonal(bf.Map(f, {}), some)
    assert found.kind == "reconstructed" and np.ptp(found.metric(some[-1]) / m) < 1e-7
    apart = gradient.diagonal(bf.Map(f, {}), flat)  # all states on x₃ = 0: the third factor stays unknown there
    assert apart.kind != "refuted"


def test_the_metric_is_known_on_its_box_only():
    rng = np.random.default_rng(0)
    found = gradient.diagonal(hidden(rng, 3)[0], rng.uniform(-1, 1, (5, 3)))
    with pytest.raises(OutsideDomain, match="known on"):
        found.metric([9.0, 0.0, 0.0])


# Any metric


def turning(n, scale, angle):
    """A stable matrix in random coordinates with the pair scale·exp(±i angle)."""
    rng = np.random.default_rng(n)
    D = np.diag(np.linspace(-0.6, 0.5, n))
    D[:2, :2] = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    T = rng.standard_normal((n, n))
    return T @ D @ np.linalg.inv(T)


@pytest.mark.parametrize("n", [2, 3, 7])
def test_a_complex_pair_is_certified(n):
    A = turning(n, 0.8, 0.3)
    map = bf.Map(lambda x: A @ (x - 1.0) + 1.0 + 0.1 * (x - 1.0) ** 2, {})
    found = gradient.any_metric(map, 1.05 * np.ones(n))
    assert found.kind == "refuted"
    pair = found.certificate
    assert np.abs(pair.state - 1.0).max() < 1e-12
    assert abs(pair.multiplier - 0.8 * np.exp(0.3j)) < pair.error < 1e-8
    V = pair.lyapunov
    P = V.P
    assert np.linalg.eigvalsh(P)[0] > 0 and np.linalg.eigvalsh(P - A.T @ P @ A)[0] == pytest.approx(1, abs=1e-8)
    x = pair.state + np.linalg.solve(np.linalg.cholesky(P).T, np.ones(n) / np.sqrt(n)) * np.sqrt(V.level)
    assert V(x) == pytest.approx(V.level) and V(map(x)) < V(x)


def test_every_matrix_within_the_error_has_a_multiplier_in_the_disc():
    rng = np.random.default_rng(0)
    certified = 0
    for n in (2, 3, 5, 8):
        for doubt in (1e-6, 1e-5, 1e-4, 1e-3):
            A = turning(n, 0.8, rng.uniform(0.05, 1.0))
            values, left, right = scipy.linalg.eig(A, left=True, right=True)
            k = int(np.argmax(values.imag))
            radius = _disc(A, complex(values[k]), right[:, k], left[:, k], doubt)
            if radius is None:
                continue
            certified += 1
            assert radius < values[k].imag
            for _ in range(40):  # rank-one perturbations of the largest norm allowed: the worst are among these
                u, v = rng.standard_normal((2, n))
                B = A + doubt * np.outer(u, v) / np.linalg.norm(u) / np.linalg.norm(v)
                assert np.abs(np.linalg.eigvals(B) - values[k]).min() <= radius
    assert certified >= 12


def test_a_pair_that_rounding_makes_is_not_certified():
    """A defective double multiplier splits into a pair of ± √ε i under perturbations of size ε."""
    T = np.random.default_rng(1).standard_normal((2, 2))
    J = T @ np.array([[0.5, 1.0], [-1e-15, 0.5]]) @ np.linalg.inv(T)
    assert gradient.any_metric(bf.Map(lambda x: J @ x, {}), [0.1, 0.1]).kind == "consistent"


@pytest.mark.parametrize("seed", range(5))
def test_gradients_in_hidden_metrics_pass_at_their_equilibria(seed):
    rng = np.random.default_rng(seed)
    A, M = symmetric(rng, 4), symmetric(rng, 4)
    map = bf.Map(lambda x: x - RATE * np.linalg.solve(M, A @ x + x**3), {})
    found = gradient.any_metric(map, 0.1 * rng.standard_normal(4))
    assert found.kind == "consistent" and found.checks[0].worst <= found.checks[0].resolution


def test_where_nothing_rests_nothing_is_said():
    with pytest.raises(NotConverged, match="no equilibrium"):
        gradient.any_metric(bf.Map(lambda x: x + 1.0, {}), [0.0])
    with pytest.raises(InvalidInput, match="unknowns"):
        gradient.any_metric(bf.Map(lambda x: 0.5 * x, {}), np.zeros(2000))


def test_the_level_of_the_lyapunov_function_is_where_it_ends():
    """x ↦ x/2 + x²: V = 4x²/3 falls where |1/2 + x| < 1, on V < 1/3."""
    V = gradient.lyapunov(bf.Map(lambda x: 0.5 * x + x**2, {}), [0.1])
    assert V.P[0, 0] == pytest.approx(4 / 3) and 1 / 3 / 2.26 < V.level <= 1 / 3


def test_a_search_counts_and_can_be_repeated():
    def draw(rng):
        A = rng.uniform(-0.5, 0.5, (2, 2))
        return bf.Map(lambda x: A @ x, {}), np.zeros(2)

    found = gradient.search(draw, tries=60, seed=3)
    again = [draw(np.random.default_rng([3, k]))[0] for k in range(60)]
    pairs = np.array([np.linalg.eigvals(np.array([map(e) for e in np.eye(2)])) for map in again])
    assert found.tried == found.solved == 60
    assert found.refuted == (np.abs(pairs.imag).max(axis=1) > 1e-8).sum()
    assert found.number == np.argmax(pairs.imag.max(axis=1))
    assert found.best.certificate.multiplier.imag == pytest.approx(pairs.imag.max(), abs=1e-9)
    nothing = gradient.search(lambda rng: (bf.Map(lambda x: x + 1.0, {}), [0.0]), tries=3)
    assert (nothing.solved, nothing.refuted, nothing.best) == (0, 0, None)


# Steps


def test_the_largest_step_of_a_quadratic():
    """From eigenvectors of A, E = xᵀAx/2 falls for h RATE λ < 2."""
    A = symmetric(np.random.default_rng(2), 4)
    values, vectors = np.linalg.eigh(A)
    map = linear(A)
    found = gradient.largest_step(map, lambda x: 0.5 * x @ A @ x, vectors.T, limit=1000.0)
    assert found.step == pytest.approx(2 / (RATE * values[-1]), rel=1e-7) and found.tested == 4
    assert np.abs(np.abs(found.state @ vectors[:, -1]) - 1) < 1e-12
    energy = gradient.euclidean(map, vectors.T).energy
    assert gradient.largest_step(map, energy, vectors.T, limit=1000.0).step == pytest.approx(found.step, rel=1e-7)
    rising = gradient.largest_step(map, lambda x: -x @ A @ x, vectors.T)
    assert (rising.step, rising.reason) == (0.0, "increases")


def test_states_at_which_rounding_hides_every_change_are_left_out():
    """At |x| = 1e-8 E = 1 + |x|² changes by 1e-16: neither a rise nor a fall is claimed."""
    map, near = bf.Map(lambda x: 0.5 * x, {}), np.array([1e-8, 0.0])
    found = gradient.largest_step(map, lambda x: 1.0 + float(x @ x), [near, np.ones(2)], limit=5.0)
    assert found.tested == 1 and found.step == pytest.approx(4.0, rel=1e-6)
    with pytest.raises(InvalidInput, match="rounding hides"):
        gradient.largest_step(map, lambda x: 1.0 + float(x @ x), [near], limit=5.0)
    undefined = gradient.largest_step(map, lambda x: float(x @ x) if x[0] > -0.5 else np.nan, [np.ones(2)])
    assert undefined.reason == "domain" and undefined.step == pytest.approx(3.0, rel=1e-8)


def test_an_energy_takes_states_of_its_size_only():
    energy = gradient.euclidean(linear(np.eye(2)), [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]).energy
    with pytest.raises(InvalidInput, match="3 numbers"):
        energy([1.0, 2.0, 3.0])


def test_steps_out_of_the_domain_are_reported():
    shrink = bf.Map(lambda x: 0.5 * x, {}, domain=lambda x: x + 0.25)
    found = gradient.largest_step(shrink, lambda x: float(x @ x), [[1.0]])
    assert found.reason == "domain" and found.step == pytest.approx(2.5, rel=1e-8)


# Maps that are hard to differentiate


def single_precision(rng, hidden_metric):
    """Descent on Σ log cosh(Bx), computed with seven digits."""
    B = rng.standard_normal((5, 3)).astype(np.float32)

    def f(x):
        x = x.astype(np.float32)
        m = np.exp(np.sin(x)) if hidden_metric else np.float32(1)
        return (x - np.float32(RATE) * (B.T @ np.tanh(B @ x)) / m).astype(float)

    return bf.Map(f, {})


@pytest.mark.parametrize("seed", range(2))
def test_rounding_and_kinks_do_not_refute(seed):
    rng = np.random.default_rng(seed)
    states = rng.standard_normal((4, 3))
    assert gradient.euclidean(single_precision(rng, False), states, loops=2).kind == "consistent"
    assert gradient.diagonal(single_precision(rng, True), states, loops=2).kind == "consistent"
    B = rng.standard_normal((6, 3))
    kinked = bf.Map(lambda x: x - RATE * (B.T @ np.maximum(B @ x, 0.0)), {})
    assert gradient.euclidean(kinked, [np.zeros(3), *states], loops=2).kind != "refuted"
    assert gradient.diagonal(kinked, states, loops=2).kind != "refuted"
    units = 10.0 ** np.array([3, 0, -4])  # of coordinates, where differences have one step for all
    scaled = bf.Map(lambda x: x - RATE * (B.T @ np.tanh(B @ (x / units))) / units, {})
    assert gradient.euclidean(scaled, states * units, loops=2).kind != "refuted"
    assert gradient.diagonal(scaled, states * units, loops=2).kind != "refuted"


def test_a_wrong_entry_of_a_given_jacobian_does_not_refute():
    """Off by 10⁻⁷ in one entry: of the wrong sign there, though no difference of the map is."""
    A = np.diag([1.0, 2.0, 3.0]) + 1e-8 * np.ones((3, 3))
    J = np.eye(3) - RATE * A
    J[0, 1] += 1e-7
    found = gradient.diagonal(linear(A, jacobian=lambda x: J), np.eye(3))
    assert found.kind != "refuted"


def test_trivial_maps_and_states():
    still = gradient.verdict(bf.Map(lambda x: x, {}), np.random.default_rng(0).standard_normal((4, 3)))
    assert still.euclidean.kind == still.diagonal.kind == "reconstructed" and still.any_metric.kind == "consistent"
    same = gradient.verdict(linear(np.eye(3)), np.ones((4, 3)))
    assert same.euclidean.kind == same.diagonal.kind == "consistent" and "three states" in same.euclidean.note
    line = gradient.verdict(bf.Map(lambda x: x - RATE * np.sin(x), {}), [[0.1], [0.5], [1.0]])
    assert line.euclidean.kind == line.diagonal.kind == "reconstructed"
    E = line.diagonal.energy
    assert E([0.5]) - E([1.0]) == pytest.approx(RATE * (np.cos(1.0) - np.cos(0.5)), abs=1e-12)


def test_of_many_unknowns_only_what_needs_no_matrix_is_asked():
    said = gradient.verdict(bf.Map(lambda x: x - RATE * np.roll(x, 1), {}), np.ones((1, 1600)) + np.arange(1600) / 1600)
    assert said.euclidean.kind == "refuted" and said.diagonal is None and said.any_metric is None
    assert "1500" in str(said)
    with pytest.raises(InvalidInput, match="1600 unknowns"):
        gradient.diagonal(bf.Map(lambda x: 0.5 * x, {}), np.ones((1, 1600)))


# What is refused


def test_verdicts_have_no_truth_value():
    found = gradient.euclidean(linear(np.eye(2)), np.eye(2))
    with pytest.raises(TypeError, match="one of three"):
        bool(found)
    assert found.kind == "consistent" and "three states" in str(found)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda m: gradient.euclidean(m, []), "states is empty"),
        (lambda m: gradient.euclidean(abs, np.eye(2)), "must be a bifurcate Map"),
        (lambda m: gradient.euclidean(m, 3.0), "sequence of states"),
        (lambda m: gradient.euclidean(m, [[1.0, 2.0], [1.0]]), "shape"),
        (lambda m: gradient.euclidean(m, np.eye(2), probes=2), "probes is 2"),
        (lambda m: gradient.euclidean(m, np.ones((3, 2)), loops=-1), "loops is -1"),
        (lambda m: gradient.euclidean(m, np.eye(2)[[0, 1, 0]], tolerance=0.0), "tolerance"),
        (lambda m: gradient.diagonal(m, np.eye(2), loops=0.5), "loops is 0.5"),
        (lambda m: gradient.search(m, tries=0), "tries is 0"),
        (lambda m: gradient.search(3), "draw must be callable"),
        (lambda m: gradient.largest_step(m, 3, np.eye(2)), "energy must be callable"),
        (lambda m: gradient.largest_step(m, abs, [[0.0, 0.0]]), "equilibria"),
        (lambda m: gradient.largest_step(m, abs, np.eye(2), limit=0.0), "limit"),
        (lambda m: gradient.euclidean(m, np.eye(2), tolerance="a"), "tolerance is 'a'"),
        (lambda m: gradient.euclidean(m, np.eye(2), seed="a"), "seed is 'a'"),
        (lambda m: gradient.diagonal(m, np.eye(2), tolerance=None), "tolerance is None"),
        (lambda m: gradient.verdict(m, np.eye(2), seed=-1), "seed is -1"),
        (lambda m: gradient.any_metric(m, [0.1, 0.0], seed=0.5), "seed is 0.5"),
        (lambda m: gradient.lyapunov(m, [0.1, 0.0], seed="a"), "seed is 'a'"),
        (lambda m: gradient.asymmetry(m, [0.1, 0.0], seed="a"), "seed is 'a'"),
        (lambda m: gradient.search(lambda rng: (m, [0.0, 0.0]), seed="a"), "seed is 'a'"),
        (lambda m: gradient.search(lambda rng: 5), "draw must return .map, guess., got int"),
        (lambda m: gradient.largest_step(m, abs, np.eye(2), limit="a"), "limit is 'a'"),
        (lambda m: gradient.largest_step(m, abs, np.eye(2)), "energy must return a number, got ndarray of shape .2,."),
        (lambda m: gradient.restrict(m, [[1.0, 1.0]]), "orthonormal"),
        (lambda m: gradient.restrict(m, 1.0), "basis"),
        (lambda m: gradient.restrict(abs, np.eye(2)), "must be a bifurcate Map"),
    ],
)
def test_unusable_arguments_are_refused_by_name(call, words):
    with pytest.raises(InvalidInput, match=words):
        call(linear(np.array([[2.0, 0.5], [0.5, 1.0]])))


def test_a_subspace_must_be_invariant():
    rotated = linear(np.array([[2.0, 0.5], [0.5, 1.0]]))
    below = gradient.restrict(rotated, [[1.0, 0.0]])
    with pytest.raises(InvalidInput, match="invariant"):
        below.check([1.0])


@pytest.mark.parametrize("f", [lambda x: x - 0.5 * np.sqrt(x - 0.1) * np.array([1.0, 2.0]), lambda x: np.sqrt(x)])
def test_a_map_that_turns_nan_beside_its_equilibrium_is_still_tested(f):
    """The root of x − 0.1 ends at the equilibrium; that of x has a finite map, but a slope without bound, at 0."""
    states = np.random.default_rng(0).uniform(0.1, 0.25, (6, 2))
    with np.errstate(all="ignore"):
        said = bf.gradient.verdict(bf.Map(f, {}), states)
        assert said.euclidean.kind == "reconstructed"
        with pytest.raises(bf.errors.NotConverged, match="equilibrium"):
            bf.gradient.any_metric(bf.Map(lambda x: x - 0.5 * np.sqrt(x), {}), [1e-30, 1e-30])
