"""Every public verb with arguments that work, and values that nobody should pass: the material of a fuzz."""

import inspect
from fractions import Fraction

import matplotlib.pyplot as plt
import numpy as np

import bifurcate as bf
from bifurcate import gradient

VALUES = {
    "None": lambda: None,
    "text": lambda: "abc",
    "empty text": lambda: "",
    "bytes": lambda: b"x",
    "two": lambda: 2,
    "zero": lambda: 0,
    "negative": lambda: -1,
    "negative float": lambda: -0.5,
    "a half": lambda: Fraction(1, 2),
    "beyond all floats": lambda: 10**400,
    "a huge float": lambda: 1e308,
    "nan": lambda: float("nan"),
    "infinite": lambda: float("inf"),
    "imaginary": lambda: 1j,
    "true": lambda: True,
    "an empty list": list,
    "nested nothing": lambda: [[]],
    "a ragged list": lambda: [1.0, [2.0, 3.0]],
    "a list of text": lambda: ["a", "b"],
    "a list of huge": lambda: [10**400],
    "a tuple": lambda: (1.0,),
    "a long tuple": lambda: (0.1, 0.2, 0.3),
    "an empty dict": dict,
    "a dict of text": lambda: {"r": "b"},
    "a dict of the wrong names": lambda: {"nobody": (0.0, 1.0)},
    "a dict of numbers": lambda: {1: 2},
    "a dict of huge": lambda: {"r": (0, 10**400)},
    "a dict of None": lambda: {"r": None},
    "an object": object,
    "a class": lambda: type("Nothing", (), {}),
    "a function": lambda: lambda: None,
    "a function of all": lambda: lambda *args, **kwargs: "x",
    "an empty array": lambda: np.array([]),
    "an array of text": lambda: np.array(["a"]),
    "an array of objects": lambda: np.array([None], dtype=object),
    "a complex array": lambda: np.array([1j]),
    "a masked array": lambda: np.ma.masked_array([0.4], mask=[True]),
    "a matrix": lambda: np.full((2, 3), 0.3),
    "a number in an array": lambda: np.array(0.5),
    "dates": lambda: np.array(["2020-01-01"], dtype="datetime64[D]"),
    "a generator": lambda: (x for x in (0.3, 0.4)),
    "a set": lambda: {0.3},
}

STEPS = bf.StepControl(first=0.1, largest=0.1, max_steps=30)


def f(x, r):
    return r * x * (1 - x)


def plane(z, a, b):
    return np.array([1 - a * z[0] * z[0] + z[1], b * z[0]])


def circle(x, w, K):
    return x + w - 0.1 * K * np.sin(2.0 * np.pi * x)


class Material:
    """Valid arguments, made once."""

    def __init__(self, folder):
        self.folder = str(folder)
        self.map = bf.Map(f, {"r": 2.8})
        self.curve = bf.cycles(self.map, "r", [0.6])
        self.branch = bf.trace(self.curve, {"r": (2.7, 3.1)}, control=STEPS)
        self.flip = self.branch.first("flip")
        self.circle = bf.Map(circle, {"w": 0.1, "K": 0.5}, periodic=1.0)
        self.henon = bf.Map(plane, {"a": 0.2, "b": 0.3})
        self.solution = bf.solve(self.map, [0.6])
        self.saddle = bf.solve(self.henon.replace(a=1.4), [0.6, 0.2])
        self.solid = bf.solve(bf.Map(lambda x, a: np.array([2.0, 1.5, a]) * x, {"a": 0.5}), [0.0, 0.0, 0.0])
        self.unstable = bf.manifold(self.saddle, length=2.0, tolerance=1e-2)
        self.stable = bf.manifold(self.saddle, stable=True, length=2.0, tolerance=1e-2)
        self.homoclinic = bf.connecting_orbits(self.unstable, self.stable).orbits[0]
        curve = bf.connections(self.homoclinic, "a")
        self.tangency = bf.trace(curve, {"a": (1.1, 1.41)}, control=bf.StepControl(largest=0.2)).first("tangency")
        self.closed_curve = bf.invariant_curve(bf.maps.delayed_logistic(2.02), [0.6, 0.6])
        self.diagram = bf.explore(self.curve, {"r": (2.7, 3.05)}, depth=1, control=STEPS)
        self.orbits = bf.orbit_diagram(self.map, "r", [2.5, 3.2], [0.3], lambda x, r: x[0], transient=5, samples=3)
        self.many = bf.trace_many(self.map, "r", [[0.6]], {"r": (2.4, 2.6)}, parameters={"r": 2.5})
        self.windows = bf.finite_time_exponents(self.map, [0.3], window=2, windows=4, transient=0)
        self.aligned = bf.alignment_indices(self.henon, [0.1, 0.1], steps=4)
        self.two = bf.trace(
            bf.locus(bf.special_point(self.henon, "flip", "a", [0.8, 0.2]), "b"),
            {"a": (0.1, 1.0), "b": (0.25, 0.35)},
            control=STEPS,
        )
        self.basins = bf.basins(self.henon, {0: (-1.0, 1.0), 1: (-1.0, 1.0)}, cells=3)
        self.basins5 = bf.basins(self.henon, {0: (-9.0, 9.0), 1: (-9.0, 9.0)}, cells=5)
        self.plane = bf.parameter_plane(
            self.henon, {"a": [0.1, 0.2], "b": [0.1, 0.3]}, [0.1, 0.1], longest=2, transient=3
        )

    def verbs(self):
        """By name: the verb, and arguments that work, by their names; positional ones of no name under numbers."""
        m, h = self.map, self.henon
        bounds = {"r": (2.7, 3.1)}
        return {
            "Map": (
                bf.Map,
                {
                    "f": f,
                    "parameters": {"r": 2.8},
                    "at": [0.4],
                    "scale": 1.0,
                    "derivative": "central",
                    "jvp": None,
                    "jacobian": None,
                    "parameter_derivative": None,
                    "domain": None,
                    "borders": None,
                    "exact": None,
                    "periodic": None,
                    "name": "x",
                    "advice": "",
                },
            ),
            "Map.call": (m, {0: [0.4], "r": 2.0}),
            "Map.replace": (m.replace, {"r": 2.0}),
            "Map.check": (m.check, {"x": [0.4]}),
            "Map.from_rule": (bf.Map.from_rule, {"rule": m, "parameters": {"r": 2.0}, "without": (), "scale": 1.0}),
            "Newton": (bf.Newton, {"tolerance": 1e-9, "max_iterations": 9, "max_halvings": 3}),
            "NewtonKrylov": (
                bf.NewtonKrylov,
                {
                    "tolerance": 1e-9,
                    "max_iterations": 9,
                    "max_halvings": 3,
                    "forcing": 0.5,
                    "restart": 4,
                    "max_restarts": 3,
                    "preconditioner": None,
                },
            ),
            "Corrector": (bf.Corrector, {"tolerance": 1e-9, "max_iterations": 9, "until": "tolerance"}),
            "Krylov": (bf.Krylov, {"tolerance": 1e-9, "restart": 4, "max_restarts": 3, "preconditioner": None}),
            "StepControl": (
                bf.StepControl,
                {
                    "first": 0.1,
                    "smallest": 1e-9,
                    "surest": 1e-3,
                    "largest": 0.1,
                    "farthest": 50.0,
                    "max_steps": 20,
                    "iterations": 3,
                    "angle": 0.1,
                    "largest_angle": 0.5,
                },
            ),
            "Deflation": (bf.Deflation, {"known": ([0.1],), "power": 2.0, "shift": 1.0, "monotone": True}),
            "solve": (
                bf.solve,
                {"map": m, "guess": [0.6], "period": 1, "method": None, "deflation": None, "progress": None},
            ),
            "solve_many": (
                bf.solve_many,
                {
                    "map": m,
                    "guesses": [[0.6], [0.1]],
                    "parameters": {"r": 2.5},
                    "period": 1,
                    "method": None,
                    "multiple_shooting": None,
                    "progress": None,
                },
            ),
            "trace_many": (
                bf.trace_many,
                {
                    "map": m,
                    "free": "r",
                    "guesses": [[0.6], [0.55]],
                    "bounds": {"r": (2.4, 2.6)},
                    "parameters": {"r": 2.5},
                    "period": 1,
                    "control": None,
                    "progress": None,
                },
            ),
            "deflate": (
                bf.deflate,
                {
                    "map": m,
                    "guesses": [[0.6], [0.1]],
                    "period": 1,
                    "known": (),
                    "method": None,
                    "power": 2.0,
                    "max_solutions": 3,
                },
            ),
            "multipliers": (
                bf.multipliers,
                {"map": m, "state": [0.6], "period": 1, "parameters": {"r": 2.0}, "leading": 6},
            ),
            "cycles": (bf.cycles, {"map": m, "free": "r", "guess": [0.6], "period": 1, "krylov": None}),
            "trace": (
                bf.trace,
                {
                    "curve": self.curve,
                    "bounds": bounds,
                    "control": STEPS,
                    "corrector": None,
                    "detect": True,
                    "keep": None,
                    "events": {"r": 3.0},
                    "resonances": 0,
                    "progress": None,
                    "journal": None,
                },
            ),
            "steps": (
                lambda *a, **k: [step for step, _ in zip(bf.steps(*a, **k), range(4))],
                {
                    0: self.curve,
                    "bounds": bounds,
                    "direction": 1,
                    "control": STEPS,
                    "corrector": None,
                    "detect": True,
                    "events": None,
                },
            ),
            "extend": (
                bf.extend,
                {
                    "branch": self.branch,
                    "bounds": {"r": (2.6, 3.2)},
                    "control": STEPS,
                    "corrector": None,
                    "detect": True,
                    "keep": None,
                    "events": None,
                    "progress": None,
                },
            ),
            "special_point": (
                bf.special_point,
                {"map": m, "kind": "flip", "free": "r", "guess": [0.6], "period": 1, "reach": 1.0, "krylov": None},
            ),
            "normal_form": (bf.normal_form, {"point": self.flip}),
            "switch": (bf.switch, {"point": self.flip, "which": 0, "amplitude": 1e-3}),
            "switches": (bf.switches, {"point": self.flip, "amplitude": 1e-3, "seed": 0}),
            "locus": (bf.locus, {"point": bf.special_point(h, "flip", "a", [0.8, 0.2]), "free": "b", "kind": None}),
            "tongue": (bf.tongue, {"at": self.circle, "p": 0, "q": 1, "free": ("w", "K"), "amplitude": None}),
            "explore": (
                bf.explore,
                {
                    "curve": self.curve,
                    "bounds": bounds,
                    "depth": 1,
                    "period": 1,
                    "audit": False,
                    "control": STEPS,
                    "corrector": None,
                    "events": None,
                    "resonances": 0,
                    "progress": None,
                    "max_branches": 1,
                    "executor": None,
                    "journal": None,
                    "prove": False,
                },
            ),
            "deflated_continuation": (
                bf.deflated_continuation,
                {
                    "branches": self.branch,
                    "bounds": {"r": (2.9, 3.0)},
                    "values": 1,
                    "guesses": ([0.1],),
                    "period": 1,
                    "control": STEPS,
                    "power": 2.0,
                    "max_branches": 1,
                    "executor": None,
                    "progress": None,
                    "journal": None,
                },
            ),
            "orbit": (bf.orbit, {"map": m, "start": [0.3], "steps": 3, "transient": 2, "parameters": {"r": 2.0}}),
            "ensemble": (
                bf.ensemble,
                {
                    "map": m,
                    "starts": [[0.3], [0.4]],
                    "steps": 3,
                    "transient": 1,
                    "parameters": {"r": [2.0, 2.5]},
                    "executor": None,
                    "layout": None,
                    "progress": None,
                },
            ),
            "lyapunov": (
                bf.lyapunov,
                {
                    "map": m,
                    "start": [0.3],
                    "steps": 30,
                    "transient": 2,
                    "count": 1,
                    "vectors": False,
                    "parameters": {"r": 2.0},
                    "seed": 0,
                },
            ),
            "finite_time_exponents": (
                bf.finite_time_exponents,
                {
                    "map": m,
                    "start": [0.3],
                    "window": 3,
                    "windows": 2,
                    "transient": 2,
                    "count": 1,
                    "parameters": {"r": 2.0},
                    "seed": 0,
                },
            ),
            "FiniteTimeExponents.quantiles": (self.windows.quantiles, {"parts": [0.1, 0.5]}),
            "alignment_indices": (
                bf.alignment_indices,
                {
                    "map": h,
                    "start": [0.1, 0.1],
                    "steps": 5,
                    "count": 2,
                    "transient": 1,
                    "vectors": None,
                    "parameters": {"a": 0.3},
                    "seed": 0,
                },
            ),
            "zero_one_test": (bf.zero_one_test, {"series": np.cos(np.arange(120.0) ** 2), "count": 10, "seed": 0}),
            "expansion_entropy": (
                bf.expansion_entropy,
                {
                    "map": m,
                    "box": [(0.0, 1.0)],
                    "steps": 5,
                    "points": 1000,
                    "parameters": {"r": 4.0},
                    "seed": 0,
                },
            ),
            "orbit_diagram": (
                bf.orbit_diagram,
                {
                    "map": m,
                    "parameter": "r",
                    "values": [2.0, 2.5],
                    "start": [0.3],
                    "observable": lambda x, r: x[0],
                    "transient": 3,
                    "samples": 2,
                    "carry": False,
                    "executor": None,
                    "layout": None,
                    "progress": None,
                },
            ),
            "parameter_plane": (
                bf.parameter_plane,
                {
                    "map": h,
                    "values": {"a": [0.1, 0.2], "b": [0.1, 0.3]},
                    "start": [0.1, 0.1],
                    "longest": 4,
                    "transient": 5,
                    "exponents": 5,
                    "progress": None,
                },
            ),
            "find_cycles": (
                bf.find_cycles,
                {
                    "map": m,
                    "period": 1,
                    "box": [(0.2, 0.9)],
                    "seed": 0,
                    "max_starts": 20,
                    "prove": False,
                    "progress": None,
                },
            ),
            "attractors": (
                bf.attractors,
                {
                    "map": m,
                    "box": [(0.0, 1.0)],
                    "starts": 4,
                    "steps": 40,
                    "parameters": {"r": 2.0},
                    "seed": 0,
                    "executor": None,
                    "workers": None,
                },
            ),
            "attractor_of": (bf.attractor_of, {"map": m, "start": [0.3], "steps": 40, "parameters": {"r": 2.0}}),
            "basins": (
                bf.basins,
                {
                    "map_or_attractors": h,
                    "plane": {0: (-1.0, 1.0), 1: (-1.0, 1.0)},
                    "origin": None,
                    "cells": 3,
                    "steps": 40,
                    "parameters": {"a": 0.1},
                    "seed": 0,
                    "executor": None,
                    "workers": None,
                    "progress": None,
                },
            ),
            "Plane": (
                bf.Plane,
                {
                    "origin": [0.0, 0.0],
                    "across": [1.0, 0.0],
                    "up": [0.0, 1.0],
                    "bounds": ((-1.0, 1.0), (-1.0, 1.0)),
                    "names": ("s", "t"),
                },
            ),
            "connecting_orbits": (bf.connecting_orbits, {"unstable": self.unstable, "stable": self.stable}),
            "manifold_surface": (
                bf.manifold_surface,
                {
                    "solution": self.solid,
                    "stable": False,
                    "radius": 0.2,
                    "iterates": 2,
                    "tolerance": 0.1,
                    "box": [(-1.0, 1.0)] * 3,
                    "inverse": None,
                },
            ),
            "crisis": (bf.crisis, {"tangency": self.tangency, "distance": 0.01, "steps": 3}),
            "invariant_curves": (bf.invariant_curves, {"curve": self.closed_curve, "free": "r"}),
            "invariant_curve": (
                bf.invariant_curve,
                {
                    "map_or_point": bf.maps.delayed_logistic(2.02),
                    "start": [0.6, 0.6],
                    "rotation_number": None,
                    "coordinate": None,
                    "period": 1,
                    "amplitude": None,
                    "steps": 2048,
                    "transient": 1000,
                    "parameters": {"r": 2.03},
                },
            ),
            "rotation_number": (
                bf.rotation_number,
                {
                    "map": h,
                    "start": [0.1, 0.1],
                    "coordinate": None,
                    "centre": None,
                    "plane": (0, 1),
                    "period": 1,
                    "steps": 2048,
                    "transient": 10,
                    "parameters": {"a": 0.1},
                },
            ),
            "connections": (bf.connections, {"orbit": self.homoclinic, "free": "a"}),
            "manifold": (
                bf.manifold,
                {
                    "solution": self.saddle,
                    "stable": False,
                    "length": 0.1,
                    "iterates": 1,
                    "tolerance": 0.01,
                    "side": 1,
                    "box": [(-9.0, 9.0), (-9.0, 9.0)],
                    "inverse": None,
                    "progress": None,
                },
            ),
            "attractor_continuation": (
                bf.attractor_continuation,
                {
                    "map": m,
                    "parameter": "r",
                    "values": [2.0, 2.5],
                    "box": [(0.1, 0.9)],
                    "starts": 2,
                    "steps": 40,
                    "branches": False,
                    "seed": 0,
                    "executor": None,
                    "workers": None,
                    "progress": None,
                },
            ),
            "return_times": (
                bf.return_times,
                {
                    "map": m,
                    "start": [0.3],
                    "inside": [(0.5, 1.0)],
                    "steps": 5,
                    "transient": 0,
                    "parameters": {"r": 2.0},
                },
            ),
            "escape_times": (
                bf.escape_times,
                {
                    "map": m,
                    "starts": [[0.3], [0.4]],
                    "inside": [(0.0, 0.45)],
                    "steps": 5,
                    "entering": False,
                    "parameters": {"r": 2.0},
                },
            ),
            "basin_entropy": (bf.basin_entropy, {"basins": self.basins, "cells": 2}),
            "boundary_kind": (bf.boundary_kind, {"basins": self.basins5, "radius": 2, "seed": 0}),
            "uncertainty_exponent": (
                bf.uncertainty_exponent,
                {"basins": self.basins, "epsilons": [0.1, 0.2], "points": 100, "seed": 0},
            ),
            "boundary_points": (
                bf.boundary_points,
                {"basins": self.basins5, "tolerance": 0.1, "most": 3, "seed": 0},
            ),
            "fatal_shock": (
                bf.fatal_shock,
                {
                    "map_or_attractors": self.basins,
                    "attractor": 0,
                    "largest": 3.0,
                    "within": None,
                    "directions": 2,
                    "steps": 60,
                    "tolerance": 0.1,
                    "seed": 0,
                },
            ),
            "edge_state": (
                bf.edge_state,
                {
                    "map_or_attractors": h,
                    "inside": [0.0, 0.0],
                    "outside": [-9.0, 0.0],
                    "steps": 3,
                    "settle": 60,
                    "parameters": None,
                },
            ),
            "in_units": (
                bf.in_units,
                {0: m, 1: 2.0, "origin": 0.0, "parameters": {"r": 2.0}, "name": "x"},
            ),
            "compose": (bf.compose, {0: m, 1: m, "name": "x"}),
            "constrained": (
                bf.constrained,
                {
                    "map": h,
                    "conserved": [[1.0, 0.0]],
                    "at": [0.3, 0.2],
                    "along": None,
                    "totals": ("N",),
                    "name": "x",
                },
            ),
            "forced": (
                bf.forced,
                {"map": m, "values": {"r": [2.0, 2.5]}, "period": 2, "parameters": None, "name": "x"},
            ),
            "save": (bf.save, {"result": self.solution, "path": self.folder + "/x.npz"}),
            "load": (bf.load, {"path": self.folder + "/x.npz", "map": m}),
            "prove": (
                bf.prove,
                {"result": self.solution, "map": m, "invariant": None, "symmetry": None, "box": None, "bits": 53},
            ),
            "sweep": (
                bf.sweep,
                {
                    "function": lambda r, seed=0: r,
                    "grid": {"r": [1.0, 2.0]},
                    "executor": None,
                    "workers": None,
                    "batch": None,
                    "journal": None,
                    "seed": 0,
                    "progress": None,
                },
            ),
            "branch.first": (self.branch.first, {"kind": "flip"}),
            "branch[…]": (self.branch.__getitem__, {0: "r"}),
            "diagram.plot": (closing(self.diagram.plot), {0: "r"}),
            "plot.diagram": (closing(bf.plot.diagram), valid(bf.plot.diagram, branches=self.branch, parameter="r")),
            "plot.chart": (closing(bf.plot.chart), valid(bf.plot.chart, branches=self.two, x="a", y="b")),
            "plot.orbit_diagram": (closing(bf.plot.orbit_diagram), valid(bf.plot.orbit_diagram, orbits=self.orbits)),
            "plot.multipliers": (closing(bf.plot.multipliers), valid(bf.plot.multipliers, of=self.solution)),
            "plot.many_branches": (closing(bf.plot.many_branches), valid(bf.plot.many_branches, found=self.many)),
            "plot.heatmap": (closing(bf.plot.heatmap), valid(bf.plot.heatmap, matrix=np.eye(2))),
            "plot.alignment_indices": (
                closing(bf.plot.alignment_indices),
                valid(bf.plot.alignment_indices, found=self.aligned),
            ),
            "plot.finite_time_exponents": (
                closing(bf.plot.finite_time_exponents),
                valid(bf.plot.finite_time_exponents, found=self.windows),
            ),
            "plot.cobweb": (closing(bf.plot.cobweb), valid(bf.plot.cobweb, map=m, start=[0.3], steps=3)),
            "plot.phase_portrait": (
                closing(bf.plot.phase_portrait),
                valid(bf.plot.phase_portrait, solutions=bf.solve(h, [0.8, 0.2])),
            ),
            "plot.parameter_plane": (
                closing(bf.plot.parameter_plane),
                valid(bf.plot.parameter_plane, plane=self.plane),
            ),
            "plot.basins": (closing(bf.plot.basins), valid(bf.plot.basins, result=self.basins)),
            "plot.convergence": (
                closing(bf.plot.convergence),
                valid(bf.plot.convergence, orbit=bf.orbit(m, [0.3], 5), to=[0.6]),
            ),
            "plot.multipliers_along": (
                closing(bf.plot.multipliers_along),
                valid(bf.plot.multipliers_along, branch=self.branch, parameter="r"),
            ),
            "plot.observe": (bf.plot.observe, {"branch": self.branch, "observable": 0}),
            "plot.stable_around": (bf.plot.stable_around, {"branch": self.branch, "point": self.flip}),
            **{
                f"maps.{name}": (getattr(bf.maps, name), valid(getattr(bf.maps, name)))
                for name in (
                    "logistic",
                    "henon",
                    "generalised_henon",
                    "delayed_logistic",
                    "ricker",
                    "predator_prey",
                    "logistic_ring",
                    "ikeda",
                    "lozi",
                    "standard",
                )
            },
            **{
                f"gradient.{name}": (getattr(gradient, name), valid(getattr(gradient, name), map=h, **{which: given}))
                for name, which, given in (
                    ("asymmetry", "state", [0.3, 0.2]),
                    ("conformal", "states", [[0.3, 0.2], [0.1, 0.2]]),
                    ("circulation", "path", [[0.0, 0.0], [0.1, 0.0], [0.0, 0.1]]),
                    ("diagonal", "states", [[0.3, 0.2], [0.1, 0.2]]),
                    ("euclidean", "states", [[0.3, 0.2], [0.1, 0.2]]),
                    ("any_metric", "guess", [0.8, 0.2]),
                    ("lyapunov", "guess", [0.8, 0.2]),
                    ("verdict", "states", [[0.8, 0.2], [0.1, 0.2]]),
                    ("restrict", "basis", [[0.0, 1.0]]),
                )
            },
            "gradient.largest_step": (
                gradient.largest_step,
                {"map": h, "energy": lambda z: float(z @ z), "states": [[0.3, 0.2]], "limit": 2.0},
            ),
            "gradient.search": (gradient.search, {"draw": lambda rng: (h, [0.8, 0.2]), "tries": 1, "seed": 0}),
        }


def valid(verb, **given):
    """The arguments of a verb that have defaults, and those given."""
    taken = inspect.signature(verb).parameters.values()
    defaults = {p.name: p.default for p in taken if p.default is not p.empty and p.kind is not p.VAR_KEYWORD}
    return {**defaults, **given}


def closing(draw):
    """A drawing verb that leaves no figure open."""

    def call(*args, **kwargs):
        try:
            return draw(*args, **kwargs)
        finally:
            plt.close("all")

    return call


def call(verb, arguments):
    """Call a verb with arguments by name; those under numbers go by position."""
    positional = [arguments[i] for i in sorted(k for k in arguments if isinstance(k, int))]
    return verb(*positional, **{k: v for k, v in arguments.items() if isinstance(k, str)})
