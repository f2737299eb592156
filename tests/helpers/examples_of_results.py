"""One example of every public type: what pickles, copies and lasts in a file is tested on these.

A new public type needs an example here, unless an example that is here contains it.
"""

import functools

import numpy as np

import bifurcate as bf
from bifurcate import adaptation, gradient
from bifurcate.errors import (
    BifurcateError,
    InvalidInput,
    MapFailed,
    MapMissing,
    NoEnergy,
    NoSuchPoint,
    NotConverged,
    NotIsolated,
    NotProved,
    OutsideDomain,
)


def quadratic(x, r):
    return r * x * (1 - x)


def circle(x, w, K):
    return x + w - 0.1 * K * np.sin(2.0 * np.pi * x)


def passes(x, r):
    return x[0] * r - 1.5


def descent(x):
    return x - 0.1 * np.array([[2.0, 0.5], [0.5, 1.0]]) @ x


def spiral(x):
    return 0.9 * np.array([np.cos(0.3) * x[0] - np.sin(0.3) * x[1], np.sin(0.3) * x[0] + np.cos(0.3) * x[1]])


def weighted(x):
    return x - 0.01 * np.array([2.0 * x[0] + x[1], 3.0 * (x[0] + x[1])])


def draw(rng):
    return bf.Map(spiral, {}), [0.1, 0.2]


def fail(r):
    return bf.solve(bf.Map(quadratic, {"r": r}), [0.3], method=bf.Newton(max_iterations=1)).state


def follow(map):
    return bf.trace(bf.cycles(map, "r", [0.6]), {"r": (2.0, 3.5)})


def errors():
    return [
        BifurcateError("plain"),
        InvalidInput("an argument"),
        MapMissing("loaded without"),
        OutsideDomain("a state"),
        MapFailed("f raised ZeroDivisionError"),
        NoSuchPoint("no flip"),
        NoEnergy("it turns round", ("loop", 3)),
        NotIsolated("a manifold"),
        NotProved("an inequality"),
        NotConverged("it failed", np.array([1.0, 2.0]), (1.0, 0.5), "Try again."),
    ]


def of_continuation():
    curve = bf.cycles(bf.maps.logistic(), "r", [0.6])
    reports = []
    events = [bf.Event("passes", passes), bf.Event("r", values=2.0)]
    branch = bf.trace(curve, {"r": (0.5, 3.5)}, events=events, progress=reports.append)
    diagram = bf.explore(curve, {"r": (0.5, 3.5)}, depth=2, audit=True)
    two = bf.Map(quadratic, {"r": 2.5})
    other = bf.deflated_continuation(
        bf.trace(bf.cycles(two, "r", [0.6]), {"r": (1.5, 2.9)}), {"r": (1.5, 2.9)}, values=1
    )
    failed = bf.Diagram((), (), (), diagram.graph, (type(diagram.failures)() or (bf.FailedCurve(None, "why"),)), (), ())
    stepped = list(bf.steps(curve, {"r": (2.0, 3.2)}, control=bf.StepControl(largest=0.1, first=0.1)))
    return [branch, diagram, other, failed, stepped, reports[-1], bf.normal_form(branch.first("PD")), bf.StepControl()]


def of_two_parameters():
    fixed = bf.trace(bf.cycles(bf.maps.henon(a=0.1), "a", [1.0, 0.3]), {"a": (-1.0, 2.0)})
    flips = bf.trace(bf.locus(fixed.first("flip"), "b"), {"a": (-2.0, 5.0), "b": (-0.9, 0.9)})
    stepped = list(bf.steps(flips.curve, {"a": (0.0, 1.0), "b": (0.0, 0.9)}))
    locked = bf.tongue(bf.Map(circle, {"w": 0.1, "K": 0.5}, periodic=1.0), 0, 1, free=("w", "K"))
    return [flips, flips.as_special_point(3), stepped, locked]


def of_newton():
    krylov = bf.Krylov(tolerance=1e-9)
    solved = bf.solve(bf.maps.logistic_ring(n=4, sparse=True, r=2.0), np.full(4, 0.4))
    away = bf.Deflation([[0.6]])
    many = bf.solve_many(bf.maps.logistic(), [[0.6]], parameters={"r": [2.5, 3.2]})
    branches = bf.trace_many(bf.maps.logistic(), "r", [[0.6]], {"r": (2.4, 3.1)}, parameters={"r": [2.5, 2.7]})
    return [
        solved,
        many,
        branches,
        bf.deflate(bf.maps.logistic(r=3.84), [[0.1]]),
        krylov,
        away,
        bf.Newton(),
        bf.NewtonKrylov(),
    ]


def of_orbits():
    map = bf.maps.logistic()
    return [
        bf.orbit(map, [0.3], 4),
        bf.parameter_plane(bf.maps.henon(), {"a": [0.1, 0.5], "b": [0.2, 0.3]}, [0.0, 0.0], longest=2, transient=50),
        bf.ensemble(map, [[0.3], [0.4]], 3),
        bf.lyapunov(map, [0.3], steps=64, transient=10),
        bf.lyapunov(bf.maps.henon(), [0.1, 0.1], steps=20, transient=10, count=2, vectors=True),
        bf.finite_time_exponents(map, [0.3], window=4, windows=5, transient=3),
        bf.alignment_indices(bf.maps.henon(), [0.1, 0.1], steps=20),
        bf.zero_one_test(bf.orbit(map, [0.3], 120).states[:, 0], count=10),
        bf.expansion_entropy(map.replace(r=4.0), [(0.0, 1.0)], steps=5, points=1000),
        bf.orbit_diagram(map, "r", [2.0, 2.5], [0.3], lambda x, r: x[0], samples=2),
    ]


def three_rates(x, a):
    return np.array([2.0, 1.5, a]) * x


def of_manifolds():
    saddle = bf.solve(bf.maps.henon(), [0.6, 0.2])
    found = bf.connecting_orbits(bf.manifold(saddle, length=2.0), bf.manifold(saddle, length=2.0, stable=True))
    branch = bf.trace(bf.connections(found.orbits[0], "a"), {"a": (1.39, 1.4)})
    crisis = bf.Crisis("boundary crisis", "a", (1.0, 2.0), (0.0, 1.0), 100)
    turning = bf.rotation_number(bf.maps.delayed_logistic(2.1), [0.6, 0.6])
    solid = bf.solve(bf.Map(three_rates, {"a": 0.5}), [0.0, 0.0, 0.0])
    surface = bf.manifold_surface(solid, tolerance=0.2)
    circle = bf.invariant_curve(bf.maps.delayed_logistic(2.02), [0.6, 0.6])
    circles = bf.trace(bf.invariant_curves(circle, "r"), {"r": (2.015, 2.025)})
    pair = [bf.manifold(saddle, length=0.5, side=1), found]
    return [*pair, branch, crisis, turning, surface, circle, circles]


def of_sweeps():
    return [bf.sweep(fail, {"r": [2.5, 3.0]}), bf.sweep(quadratic, {"x": [0.1, 0.2], "r": [2.5, 3.0]})]


def of_attractors():
    found = bf.attractors(bf.maps.logistic(r=3.2), [(-0.2, 1.2)], starts=10)
    plane = bf.basins(bf.maps.henon(a=0.9), {0: (-2.0, 2.0), 1: (-2.0, 2.0)}, cells=6)
    return [
        bf.find_cycles(bf.maps.logistic(r=3.2), 2, [(-0.5, 1.5)], max_starts=40),
        found,
        plane,
        found.fractions[0],
        bf.attractor_continuation(
            bf.maps.logistic(), "r", [2.9, 3.1], [(0.1, 0.9)], starts=2, branches=True, progress=False
        ),
        bf.return_times(bf.maps.logistic(r=4.0), [0.3], [(0.5, 1.0)], steps=40),
        bf.escape_times(bf.maps.logistic(r=5.0), [[0.3], [0.5]], [(0.0, 1.0)], steps=5),
        bf.basin_entropy(plane, cells=2),
        bf.boundary_kind(plane, radius=2),
        bf.uncertainty_exponent(plane, points=100, epsilons=[0.1, 0.2]),
        bf.boundary_points(plane, most=4, tolerance=1e-3),
        bf.fatal_shock(found, directions=4),
        bf.edge_state(bf.maps.henon(a=0.9), [0.0, 0.0], [-2.0, 0.0], steps=20),
    ]


def of_matrices():
    return [
        bf.LowRank(np.ones((3, 1)), np.ones((2, 1))),
        bf.DiagonalLowRank(np.ones(2), np.ones((2, 1)), np.ones((2, 1))),
        bf.ShiftedLowRank(0.5, np.ones((3, 1)), np.array([[0.2, 0.0, 0.1]])),
        bf.multipliers(bf.maps.henon(), [0.6, 0.2]),
        bf.maps.IteratedMap(bf.maps.henon(), (2,), 3),
    ]


def of_the_network():
    net = adaptation.ring(6, (0.8, 0.0), (0.8, 1.0), alpha=0.05, beta=-0.1, sigma=1 / 6, b=0.05)
    given = adaptation.Network([1.0, 0.5], [1.0, 1.0], alpha=0.1, beta=-0.1, sigma=0.5)
    protocol = adaptation.protocols.constant((0.5, 0.0), 3)
    ensemble = adaptation.protocols.biased(4)
    solved = bf.solve(net.update, net.initial)
    branch = bf.trace(bf.cycles(net.update, "alpha", solved.state), {"alpha": (0.04, 0.06)})
    return [
        net,
        given,
        solved,
        branch,
        net.stability(net.equilibrium()),
        given.limits("alpha", (0.0, 20.0)),
        net.outcome(longest=200),
        net.energy(),
        net.mirror(),
        adaptation.coordinates(given),
        adaptation.coordinates(given).hidden(given.initial),
        adaptation.settling.bounded(net.replace(beta=0.1)),
        adaptation.gradient_rule(given, [given.drive]),
        adaptation.average(given, [given.drive]).energy(),
        adaptation.average(given, [given.drive]).contraction(),
        net.certificate(),
        net.run([0.5, 0.6], [0.0, 0.0], keep="all"),
        protocol,
        ensemble,
        adaptation.average(net, [(0.8, 0.0), (0.8, 1.0)]),
        net.update.f.__self__,
        net.reduced.f.__self__,
    ]


def of_gradient():
    states = np.random.default_rng(0).standard_normal((4, 2))
    turning, falling = bf.Map(spiral, {}), bf.Map(descent, {})
    found = gradient.verdict(falling, states)
    refuted = gradient.verdict(turning, states)
    metric = gradient.diagonal(bf.Map(weighted, {}), states)
    searched = gradient.search(draw, tries=2)
    step = gradient.largest_step(falling, found.energy.energy, states, limit=2.0)
    lyapunov = gradient.lyapunov(turning, [0.0, 0.0])
    loop = gradient.circulation(turning, gradient.Ellipse(np.zeros(2), np.array([1.0, 0.0]), np.array([0.0, 1.0])))
    return [found, refuted, metric, searched, step, lyapunov, loop, *certificates()]


def certificates():
    x = np.zeros(2)
    return [
        gradient.Coupling(x, 0, 1, 1.0, 0.0, 1e-9, 1e-9),
        gradient.CouplingCycle(x, (0, 1, 2), 1.0, 2.0, 1e-9),
        gradient.Separability(np.zeros((4, 2)), 0, 1, np.zeros(4), 1e-9),
    ]


def of_proofs():
    curve = bf.cycles(bf.maps.logistic(), "r", [0.6])
    diagram = bf.explore(curve, {"r": (0.5, 3.3)}, depth=1)
    pair = bf.special_point(bf.maps.delayed_logistic(1.95), "neimark-sacker", free="r", guess=[0.49, 0.49])
    net = adaptation.ring(4, (0.8, 0.0), (0.8, 1.0), alpha=0.05, beta=-0.1, sigma=1 / 6, b=0.05)
    flip = bf.special_point(bf.maps.henon(a=0.36, b=0.3), "flip", free="a", guess=[0.9, 0.3])
    resonance = bf.trace(bf.locus(flip, free="b"), {"a": (0.1, 4.0), "b": (-1.1, 0.5)}).first("R2")
    return [bf.prove(resonance), bf.prove(net), bf.prove(diagram, box=[(0.1, 1.0), (1.5, 2.0)]), bf.prove(pair)]


GROUPS = [
    errors,
    of_continuation,
    of_two_parameters,
    of_newton,
    of_orbits,
    of_attractors,
    of_manifolds,
    of_matrices,
    of_sweeps,
    of_the_network,
    of_gradient,
    of_proofs,
]


@functools.cache
def examples(group):
    """The examples of a group, made once."""
    return group()
