"""Diagram: what an exploration found, as a graph that prints, plots and answers questions."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np

from bifurcate.bifurcations.special_point import SpecialPoint, first_of_kind, points_of_kind
from bifurcate.continuation.branch import Branch
from bifurcate.deprecation import warn_old_name
from bifurcate.diagram.audit import Audit
from bifurcate.errors import InvalidInput
from bifurcate.orbits.observable import Observable
from bifurcate.printing import count_labels, grouped, range_text
from bifurcate.storage.atomic import check_folder, written_atomically
from bifurcate.storage.tables import (
    Columns,
    about,
    as_dataframe,
    as_dataset,
    points_table,
    special_table,
    stacked,
    write_csv,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bifurcate.proofs.diagram_theorem import DiagramTheorem

__all__ = ["Diagram", "FailedCurve"]


@dataclass(frozen=True, eq=False)
class FailedCurve:
    """A curve that could not be followed.

    Attributes
    ----------
    point : SpecialPoint or None
        Where it starts; None if the user gave it.
    reason : str
        Why it could not be followed.
    """

    point: SpecialPoint | None
    reason: str

    def __str__(self) -> str:
        where = f"from {self.point}" if self.point is not None else "a curve that was given"
        return f"{where}: {self.reason}"


@dataclass(frozen=True, eq=False)
class Diagram:
    """What :func:`explore` found.

    Attributes
    ----------
    branches : tuple of Branch
        Every branch once, in the order in which they were traced.
    generations : tuple of int
        Of each branch: 1 if its curve was given, 2 if it starts at a point of such a branch, and so on.
    special : tuple of SpecialPoint
        Every special point once, in the order in which they were met.
    graph : networkx.MultiGraph
        Nodes are the special points, under their index in ``special``, and then the ends of branches; with ``kind``
        and ``label`` ("end" and "EP" for ends), ``parameters``, ``state``, ``period``, ``point`` (the SpecialPoint, or
        None) and ``text``. Edges are the segments of branches between them, with ``branch`` (index into
        ``branches``), ``kind`` (of its curve), ``period``, ``stable`` (None if not known, and on curves of special
        points), ``outside`` (number of multipliers outside the unit circle) and ``segment`` (a :class:`Segment`).
    failures : tuple of FailedCurve
        Curves that could not be followed, with the reason.
    not_followed : tuple of SpecialPoint
        Points at which curves start that are beyond ``depth``, ``period`` or ``max_branches``.
    doubts : tuple of str
        The doubts of the branches: changes in the multipliers that no located point explains.
    audit : Audit or None
        What the audit found, if it was asked for.
    interrupted : bool
        True if the user ended the exploration.
    theorem : DiagramTheorem or None
        What is proved of it, if that was asked for; see :func:`bifurcate.prove`.
    """

    branches: tuple[Branch, ...]
    generations: tuple[int, ...]
    special: tuple[SpecialPoint, ...]
    graph: nx.MultiGraph
    failures: tuple[FailedCurve, ...]
    not_followed: tuple[SpecialPoint, ...]
    doubts: tuple[str, ...]
    audit: Audit | None = None
    interrupted: bool = False
    theorem: DiagramTheorem | None = None

    @property
    def left(self) -> tuple[SpecialPoint, ...]:
        """Old name of ``not_followed``."""
        warn_old_name("Diagram.left", "Diagram.not_followed")
        return self.not_followed

    def of(self, kind: str) -> tuple[SpecialPoint, ...]:
        """The special points of a kind ("flip"), label ("PD") or :class:`Event`, by its name."""
        return points_of_kind(self.special, kind, self._event_names)

    def first(self, kind: str) -> SpecialPoint:
        """The first special point of a kind, label or event.

        Raises
        ------
        NoSuchPoint
            If there is none.
        """
        place = f"in this diagram of {len(self.branches)} branches"
        return first_of_kind(self.special, kind, place, self._event_names)

    @property
    def _event_names(self) -> set[str]:
        return {name for branch in self.branches for name in branch.curve.event_names}

    def branches_at(self, point: SpecialPoint) -> tuple[Branch, ...]:
        """The branches that meet at a special point of this diagram, or at a copy of one.

        Raises
        ------
        InvalidInput
            If it is none of ``special``.
        """
        node = next((i for i, known in enumerate(self.special) if _is_copy(known, point)), None)
        if node is None:
            raise InvalidInput("point is none of this diagram's special points")
        return tuple(self.branches[i] for i in self._branches_at(node))

    def _branches_at(self, node: int) -> list[int]:
        """Numbers of the branches that meet at a node."""
        return sorted({data["branch"] for *_, data in self.graph.edges(node, data=True)})

    def plot(self, parameter: str, observable: Callable[..., float] | int = 0, **options: Any) -> Axes:
        """Draw all branches of cycles against a parameter: stable solid, unstable dashed, points marked by kind.

        Parameters
        ----------
        parameter : str
            The parameter on the horizontal axis.
        observable : callable, int or "norm"
            The vertical axis: a function of the state and of all, some or none of the parameters, the index of a
            component, or the state's norm.
        **options
            As for :func:`bifurcate.plot.diagram`.

        Returns
        -------
        Axes
            Of Matplotlib; ``.figure.savefig(...)`` writes it.
        """
        drawn = [branch for branch in self.branches if branch.curve.codimension == 0]
        # Matplotlib is loaded when something is drawn, not with this file.
        from bifurcate.plot.bifurcation_diagram import diagram

        ax = diagram(drawn, parameter, observable, **options)
        if self.theorem is not None:
            from bifurcate.plot.proved import draw_proved

            draw_proved(ax, self.theorem, parameter, observable, legend=True)
        return _with_old_savefig(ax, "diagram.plot(…)")

    def chart(self, x: str, y: str, **options: Any) -> Axes:
        """Draw the curves of special points in the plane of two parameters, with their points of codimension two.

        Parameters
        ----------
        x, y : str
            The parameters on the horizontal and on the vertical axis.
        **options
            As for :func:`bifurcate.plot.chart`.

        Returns
        -------
        Axes
            Of Matplotlib; ``.figure.savefig(...)`` writes it.
        """
        from bifurcate.plot.two_parameter_chart import chart

        return _with_old_savefig(chart(self.branches, x, y, **options), "diagram.chart(…)")

    def to_html(
        self,
        path: str | os.PathLike[str],
        *,
        parameter: str | None = None,
        projections: Mapping[str, Observable] | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Path:
        """Write the diagram as one interactive page for a browser, which needs no network.

        Points show their parameters, multipliers and forms; a click on a special point says what meets there;
        projections are switched, branches are hidden by period, and the chart in two parameters stands beside.

        Parameters
        ----------
        path : str or path-like
            The file, of some five megabytes: Plotly is in it.
        parameter : str, optional
            On the horizontal axis; the first free parameter if not given.
        projections : mapping of str to observable, optional
            What the vertical axis offers, by name; the first components and the norm if not given.
        labels : mapping of str to str, optional
            How axes name parameters, as ``{"alpha": "α"}``.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        InvalidInput
            If Plotly is not installed (the extra ``html``), or no branch is one of cycles.
        """
        from bifurcate.plot.interactive_page import html_page

        meetings = [(point, self._branches_at(i)) for i, point in enumerate(self.special)]
        page = html_page(
            self.branches, meetings, parameter=parameter, projections=projections, labels=labels, theorem=self.theorem
        )
        with written_atomically(Path(path)) as file:
            file.write(page.encode())
        return Path(path)

    def _repr_html_(self) -> str:
        """The table and the picture, for notebooks."""
        from bifurcate.plot.notebook import table_and_picture

        return table_and_picture(self, str(self))

    def __repr__(self) -> str:
        name = self.branches[0].curve.iterate.map.name if self.branches else "map"
        found = count_labels(point.label for point in self.special) or "no special points"
        open_ends = {"not followed": self.not_followed, "failures": self.failures, "doubts": self.doubts}
        rest = "".join(f", {len(each)} {words}" for words, each in open_ends.items() if each)
        free = self.branches[0].curve.free if self.branches else ("p",)
        return (
            f"<Diagram of {name}: {len(self.branches)} branches; {found}{rest}>\n"
            f"next: print(diagram), diagram.plot({free[0]!r}), bf.switches(point) at a point of diagram.special"
        )

    def to_dataframe(self, *, special: bool = False) -> Any:
        """A pandas DataFrame with one row a point of a branch, and the branch's number, generation and kind.

        Parameters
        ----------
        special : bool
            The special points instead, with their coefficients, errors, and the branches that meet there.

        Raises
        ------
        InvalidInput
            If pandas is not installed.

        Examples
        --------
        >>> import bifurcate as bf
        >>> diagram = bf.explore(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (2.5, 3.5)}, depth=2)
        >>> diagram.to_dataframe(special=True)[["label", "branches"]].values.tolist()
        [['PD', '0, 1'], ['PD', '1']]
        """
        return as_dataframe(self._table(special), self._about())

    def to_xarray(self) -> Any:
        """An xarray Dataset of all points of all branches along "point", with the branch's number as a coordinate.

        Raises
        ------
        InvalidInput
            If xarray is not installed.
        """
        numbers = [i for i, branch in enumerate(self.branches) for _ in branch.points]
        return as_dataset(
            [point for branch in self.branches for point in branch.points], self._about(), {"branch": numbers}
        )

    def to_csv(self, path: str | os.PathLike[str], *, special: bool = False) -> None:
        """Write what :meth:`to_dataframe` shows to a CSV file; numbers read back the same.

        Raises
        ------
        InvalidInput
            If the file cannot be written there.
        """
        write_csv(self._table(special), path)

    def to_graphml(self, path: str | os.PathLike[str]) -> None:
        """Write the graph as GraphML, for Gephi, yEd and other tools.

        Nodes have their kind, label, period, parameters and text; edges their branch, kind, period, and, where they are
        known, ``stable`` and ``outside``.

        Raises
        ------
        InvalidInput
            If the file cannot be written there.
        """
        target = check_folder("path", path)
        plain = nx.MultiGraph()
        for node, data in self.graph.nodes(data=True):
            shown = {name: data[name] for name in ("kind", "label", "period", "text")}
            plain.add_node(node, **shown, **{f"parameter_{name}": each for name, each in data["parameters"].items()})
        for a, b, data in self.graph.edges(data=True):
            shown = {name: data[name] for name in ("branch", "kind", "period", "stable", "outside")}
            plain.add_edge(a, b, **{name: each for name, each in shown.items() if each is not None})
        with written_atomically(target) as file:
            nx.write_graphml(plain, file)

    def _table(self, special: bool) -> Columns:
        if special:
            on = [", ".join(map(str, self._branches_at(i))) for i in range(len(self.special))]
            return {**special_table(self.special), "branches": on}
        parts = []
        for i, (branch, generation) in enumerate(zip(self.branches, self.generations)):
            own = {"branch": i, "generation": generation, "curve": branch.curve.kind}
            parts.append({**{name: [each] * len(branch) for name, each in own.items()}, **points_table(branch.points)})
        return stacked(parts)

    def _about(self) -> dict[str, Any]:
        return about(self.branches[0].curve.iterate.map, interrupted=self.interrupted)

    def __str__(self) -> str:
        name = self.branches[0].curve.iterate.map.name if self.branches else "map"
        lines = [f"diagram of {name}: {len(self.branches)} branches, {len(self.special)} special points"]
        rows: list[tuple[str, ...]] = [("branch", "period", "kind", "range", "points", "starts at", "stable")]
        rows += [self._row(i, branch) for i, branch in enumerate(self.branches)]
        widths = [max(len(row[j]) for row in rows) for j in range(len(rows[0]))]
        lines += ["  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
        for i, point in enumerate(self.special):
            form = f", {self._form(i, point)}" if point.form else ""
            lines.append(f"  {point}{form}; on branch {', '.join(map(str, self._branches_at(i)))}")
        if self.theorem is not None:
            lines += ["  theorem: " + line for line in self.theorem.summary()]
        lines += [f"  failed {failure}" for failure in grouped(map(str, self.failures))]
        beyond = "not followed, beyond the depth, period or number asked for"
        kinds = Counter((point.label, point.period) for point in self.not_followed)
        lines += [f"  {beyond}: {count} {label} of period {period}" for (label, period), count in kinds.items()]
        lines += [f"  in doubt: {doubt}" for doubt in grouped(self.doubts)]
        lines += ["  interrupted by the user; all that was found so far is kept"] * self.interrupted
        return "\n".join(lines + ([str(self.audit)] if self.audit is not None else []))

    def _form(self, i: int, point: SpecialPoint) -> str:
        """The point's form; the proved one where it is proved, which may decide what floating point leaves open."""
        proved = None if self.theorem is None else self.theorem.points[i]
        if proved is None:
            return point.form
        return f"{proved.form or point.form}, proved"

    def _row(self, i: int, branch: Branch) -> tuple[str, ...]:
        """A branch as a line of the table."""
        span = ", ".join(range_text(name, branch[name], branch.special) for name in branch.curve.free)
        origin = branch.curve.origin
        start = "given"
        if isinstance(origin, SpecialPoint):
            start = f"{origin.label} {origin.curve.where(origin.u, origin.error)}"
        stable = f"{np.mean(branch.stable):.0%}" if branch.curve.codimension == 0 else ""
        return str(i), str(branch.curve.period), branch.curve.kind, span, str(len(branch)), start, stable


def _with_old_savefig(ax: Axes, call: str) -> Axes:
    """Let the axes be saved as the figure that this method used to return, with a warning."""
    from bifurcate.plot.drawing import figure_of

    def savefig(*arguments: Any, **options: Any) -> None:
        warn_old_name(f"{call}.savefig(…)", f"{call}.figure.savefig(…)")
        figure_of(ax).savefig(*arguments, **options)

    ax.savefig = savefig  # type: ignore[attr-defined]  # no method of Axes, but what README examples called
    return ax


def _is_copy(a: SpecialPoint, b: SpecialPoint) -> bool:
    """True if two special points hold the same numbers, as a point and its copy do."""
    return (a.kind, a.period, a.curve.free) == (b.kind, b.period, b.curve.free) and np.array_equal(a.u, b.u)
