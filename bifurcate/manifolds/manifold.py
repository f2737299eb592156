"""manifold: the 1-D stable or unstable manifold of a saddle fixed point or cycle."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bifurcate.interrupts import interrupted_meanwhile, protected
from bifurcate.manifolds.batched_step import BatchedStep, batched_step
from bifurcate.manifolds.growth import ManifoldStop, grow
from bifurcate.manifolds.growth_limits import check_inverse, growth_limits, inverse_step, states_beside
from bifurcate.manifolds.parametrisation import Parametrisation, parametrise
from bifurcate.manifolds.saddle_direction import SaddleDirection, saddle_directions
from bifurcate.manifolds.sampling import ImplicitSampler, Sampler, SteppedSampler
from bifurcate.newton.solve import Solution
from bifurcate.printing import short_repr
from bifurcate.progress import Progress
from bifurcate.progress_line import Report, reporting
from bifurcate.storage.tables import Columns, stacked, state_columns
from bifurcate.storage.tabular import Tabular
from bifurcate.validation import check_choice, check_flag

__all__ = ["Manifold", "ManifoldBranch", "manifold", "sampler_of"]

Array = NDArray[np.float64]

# In units of the state, where nothing else is asked for: ten of them show how a manifold folds, and what lies within a
# ten-thousandth is one line in a figure.
USUAL_LENGTH, USUAL_TOLERANCE = 10.0, 1e-4
FINEST_TOLERANCE = 1e-11  # in units of the state: below it chords are rounding

WORDS: dict[ManifoldStop, str] = {
    "length": "it is as long as asked ({})",
    "iterates": "the iterates asked for are done ({})",
    "pole": "it runs into a pole, or the edge of the map's domain: {}",
    "box": "it leaves the box {}",
    "escaped": "it runs away, {}",
    "points": "{}",
    "torn": "it is torn: {}",
    "singular": "{}",
    "interrupted": "interrupted by the user; what was found is kept{}",
}


@dataclass(frozen=True, eq=False)
class ManifoldBranch:
    """One half of a manifold: from a point of the cycle, along its eigenvector or against it.

    Attributes
    ----------
    phase : int
        It starts at f^phase of the solution's state.
    side : {1, -1}
        Along the eigenvector whose largest entry is positive, or against it: the sign of t.
    points : ndarray, shape (m, *state's shape)
        Points of the manifold, beginning with the saddle; on it to rounding. In coordinates with a period they are
        continued past it.
    t : ndarray, shape (m,)
        Parameters: f^k takes the point at t to the one at λt. Near the saddle |t| is arclength.
    arclength : ndarray, shape (m,)
        From the saddle, Euclidean.
    error : float
        Estimated error of the whole arclength.
    reason : {"length", "iterates", "pole", "box", "escaped", "points", "torn", "singular", "interrupted"}
        Why it ends.
    detail : str
        The numbers that belong to it.
    parametrisation : Parametrisation
        Its Taylor part, of both sides.
    """

    phase: int
    side: int
    points: Array
    t: Array
    arclength: Array
    error: float
    reason: ManifoldStop
    detail: str
    parametrisation: Parametrisation

    __repr__ = short_repr

    def __str__(self) -> str:
        sign = "+" if self.side > 0 else "−"
        why = WORDS[self.reason].format(self.detail)
        return f"side {sign}: {len(self.t)} points, arclength {self.arclength[-1]:.8g} ± {self.error:.0e}; ends: {why}"


@dataclass(frozen=True, eq=False)
class Manifold(Tabular):
    """The 1-D stable or unstable manifold of a saddle.

    Attributes
    ----------
    solution : Solution
        The saddle.
    stable : bool
        Which of its manifolds.
    branches : tuple of ManifoldBranch
        Its halves, two at every point of the cycle unless one side was asked for.
    tolerance : float
        Distance of the manifold from the chords between its points, in the unit of the state.
    """

    solution: Solution
    stable: bool
    branches: tuple[ManifoldBranch, ...]
    tolerance: float

    __repr__ = short_repr
    next_verbs: ClassVar[str] = "bf.connecting_orbits(unstable, stable), bf.plot.phase_portrait(manifolds=[manifold])"

    @property
    def multiplier(self) -> float:
        """The multiplier λ of the saddle that belongs to the manifold."""
        return self.branches[0].parametrisation.multiplier

    @property
    def length(self) -> float:
        """Arclength of all branches together."""
        return float(sum(branch.arclength[-1] for branch in self.branches))

    def __str__(self) -> str:
        which, period = "stable" if self.stable else "unstable", self.solution.period
        name = "" if self.solution.map is None else f" of {self.solution.map.name}"
        what = "fixed point" if period == 1 else f"{period}-cycle"
        numbers = f"multiplier {self.multiplier:.8g}, tolerance {self.tolerance:.1g}"
        lines = [f"{which} manifold of a {what}{name}, {numbers}"]
        for branch in self.branches:
            place = f"point {branch.phase}, " if period > 1 else ""
            lines.append(f"  {place}{branch}")
        return "\n".join(lines)

    def table(self) -> Columns:
        """One row a point: the branch's phase and side, the parameter t, the arclength from the saddle, the state."""
        return stacked(
            {
                "phase": [each.phase] * len(each.t),
                "side": [each.side] * len(each.t),
                "t": each.t.tolist(),
                "arclength": each.arclength.tolist(),
                **state_columns(each.points),
            }
            for each in self.branches
        )


def manifold(
    solution: Solution,
    *,
    stable: bool = False,
    length: float | None = None,
    iterates: int | None = None,
    tolerance: float | None = None,
    side: int | None = None,
    box: Any = None,
    inverse: Callable[..., Any] | None = None,
    progress: Report | bool | None = None,
) -> Manifold:
    """Grow the 1-D stable or unstable manifold of a saddle fixed point or cycle.

    It begins with a Taylor expansion, f^k(P(t)) = P(λt), and goes on by iteration. Between two points another one, from
    the parameter half-way, is inserted until it lies within the tolerance of their chord and the manifold turns by at
    most 0.3 radians between the halves, or both halves together are shorter than the tolerance.

    Parameters
    ----------
    solution : Solution
        A saddle with one multiplier outside (for the unstable manifold) or inside (for the stable one) the unit circle;
        a negative one makes f^k exchange both halves.
    stable : bool
        True for the stable manifold.
    length : float, optional
        Arclength of every half. Without ``iterates``, ten units of the state (the larger of the map's scale and the
        saddle's largest component).
    iterates : int, optional
        Iterates of f^k (of its inverse) by which the Taylor part, |t| up to the radius of trust, is stretched.
    tolerance : float, optional
        Largest distance of the manifold from the chords between its points; 10⁻⁴ units by default.
    side : {1, -1}, optional
        One half only: along the eigenvector whose largest entry is positive, or against it.
    box : array_like, shape (n, 2), optional
        Least and largest values of the flattened state's components: a half ends where it leaves them.
    inverse : callable, optional
        ``inverse(x, **parameters)``, the inverse of f, with which a stable manifold is grown as an unstable one.
        Without it preimages are found by Newton's method, from neighbouring points of the manifold: f need not be
        invertible elsewhere.
    progress : callable, bool, optional
        As for :func:`trace`.

    Returns
    -------
    Manifold
        Its points lie on the manifold to rounding, whatever the tolerance is. Every half says why it ends. An
        interrupt (Ctrl-C) ends it and keeps what was found.

    Raises
    ------
    InvalidInput
        If the solution is no saddle with a 1-D manifold of this kind, or an argument is unusable.

    References
    ----------
    Hobson, J. Comput. Phys. 104 (1993) 14; Krauskopf & Osinga, J. Comput. Phys. 146 (1998) 404; Haro et al., The
    Parameterization Method for Invariant Manifolds, Springer 2016, chapter 2.

    Examples
    --------
    >>> import bifurcate as bf
    >>> saddle = bf.solve(bf.maps.henon(a=1.4, b=0.3), [0.6, 0.2])
    >>> unstable = bf.manifold(saddle, length=3.0)
    >>> [(branch.side, branch.reason) for branch in unstable.branches]
    [(1, 'length'), (-1, 'length')]
    >>> bool(abs(unstable.branches[0].arclength[-1] - 3.0) < 1e-3)
    True
    """
    check_flag("stable", stable)
    directions = saddle_directions(solution, stable=stable)
    unit = max(directions[0].iterate.map.scale, float(np.abs(directions[0].state).max()))
    limits = growth_limits(
        directions[0].state,
        unit,
        directions[0].iterate.periods,
        farthest=("length", length, USUAL_LENGTH),
        iterates=iterates,
        tolerance=tolerance,
        usual=USUAL_TOLERANCE,
        finest=FINEST_TOLERANCE,
        box=box,
    )
    if side is not None:
        check_choice("side", side, (1, -1))
    check_inverse(inverse, stable)
    sides = (1, -1) if side is None else (int(side),)
    parameters, branches = dict(directions[0].iterate.map.parameters), list[ManifoldBranch]()
    with (
        protected(),
        np.errstate(all="ignore"),
        reporting(progress, f"manifold of {directions[0].iterate.map.name}", ()) as report,
    ):
        for at in directions:
            sampler, f = sampler_of(at, stable=stable, inverse=inverse)
            for each in sides:
                found = sum(len(branch.t) for branch in branches)

                def tell(count: int, found: int = found) -> None:
                    if report is not None:
                        report(Progress(parameters, found + count, 0, 0, None))

                half = grow(sampler, f, each, limits, tell)
                points = half.points.reshape(-1, *at.iterate.shape)
                kept = half.t, half.arclength, half.error, half.reason, half.detail
                branches.append(ManifoldBranch(at.phase, each, points, *kept, sampler.parametrisation))
                if half.reason == "interrupted" or interrupted_meanwhile():
                    return Manifold(solution, bool(stable), tuple(branches), limits.tolerance)
    return Manifold(solution, bool(stable), tuple(branches), limits.tolerance)


def sampler_of(
    at: SaddleDirection,
    *,
    stable: bool,
    inverse: Callable[..., Any] | None = None,
    parametrisation: Parametrisation | None = None,
) -> tuple[Sampler, BatchedStep]:
    """What gives points of a manifold, and f^k.

    Raises
    ------
    InvalidInput
        If ``inverse`` is none of the map.
    """
    iterate = at.iterate
    nearby = states_beside(iterate, at.state, np.array([at.vector, -at.vector]))
    f = batched_step(iterate.map, iterate.shape, iterate.period, nearby)
    P = parametrise(at, f) if parametrisation is None else parametrisation
    if not stable:
        return SteppedSampler(P, P.multiplier, f), f
    unit = max(iterate.map.scale, float(np.abs(at.state).max()))
    if inverse is None:
        times = 2 if at.multiplier < 0.0 else 1
        steps = dataclasses.replace(f, times=times * f.times)
        return ImplicitSampler(P, P.multiplier ** (-times), steps, iterate.periods, unit), f
    back = inverse_step(iterate, inverse, f, nearby, unit)
    return SteppedSampler(P, 1.0 / P.multiplier, back), f
