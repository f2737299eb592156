"""The command ``bifurcate``: diagrams of a map in a file, results shown and drawn, and what is wrong with a map."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import inspect
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from bifurcate.continuation.branch import Branch
from bifurcate.curves.cycle import cycles
from bifurcate.diagram.diagram import Diagram
from bifurcate.diagram.explore import explore
from bifurcate.errors import BifurcateError, InvalidInput
from bifurcate.executors import process_pool, stop_pool
from bifurcate.maps.diagnosis import diagnose
from bifurcate.maps.map import Map
from bifurcate.storage.atomic import check_folder, written_atomically
from bifurcate.storage.save_and_load import load, save
from bifurcate.storage.tabular import Tabular

__all__ = ["main"]

DONE, FAILED, MISUSED, INTERRUPTED = 0, 1, 2, 130  # exit codes; the last is a shell's own for Ctrl-C
FORMATS = (".pdf", ".png", ".svg")

EXAMPLES = """\
examples:
  bifurcate check henon.py:henon --guess 0.6 0.2
  bifurcate diagram henon.py:henon --free a --bounds 0 1.2 --guess 0.6 0.2 --plot henon.pdf --save henon.npz
  bifurcate diagram henon.py:henon --free a --bounds 0 1.2 --second b -0.5 0.9 --guess 0.6 0.2 --plot henon.pdf
  bifurcate show henon.npz
  bifurcate verify henon.npz --map henon.py:henon
  bifurcate plot henon.npz --out henon.png
where henon.py has, as an example,
  import numpy as np, bifurcate as bf
  henon = bf.Map(lambda z, a, b: np.array([1 - a * z[0]**2 + z[1], b * z[0]]), {"a": 0.3, "b": 0.3})
or a plain function, def henon(z, a, b): …, whose other parameters are given by --set b=0.3"""


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(MISUSED, f"{self.prog}: error: {' '.join(message.split())} (see {self.prog} --help)\n")


def _parser() -> _Parser:
    parser = _Parser(
        prog="bifurcate",
        description="Bifurcation diagrams of discrete maps.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--traceback", action="store_true", help="show where an error was raised")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="diagram | show | plot | check | verify")
    _add_diagram(verbs)
    shown = verbs.add_parser("show", help="print a saved result, or its tables as CSV", epilog=EXAMPLES)
    shown.add_argument("file", help="a file that --save or bf.save has written")
    shown.add_argument("--csv", type=Path, metavar="FILE", help="write the points as CSV")
    shown.add_argument("--special", type=Path, metavar="FILE", help="write the special points as CSV")
    shown.set_defaults(run=_show)
    drawn = verbs.add_parser("plot", help="draw a saved branch or diagram")
    drawn.add_argument("file", help="a file that --save or bf.save has written")
    drawn.add_argument("--out", type=Path, required=True, metavar="FILE", help="the figure: .pdf, .png or .svg")
    _add_axes(drawn)
    drawn.set_defaults(run=_plot)
    verified = verbs.add_parser("verify", help="prove the theorems of a saved result again")
    verified.add_argument("file", help="a file that --save or bf.save has written")
    verified.add_argument("--map", metavar="FILE.py:NAME", help="the map, where the file cannot name it")
    verified.set_defaults(run=_verify)
    checked = verbs.add_parser("check", help="say what is wrong with a map")
    _add_map(checked)
    checked.set_defaults(run=_check)
    return parser


def _add_map(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("map", metavar="FILE.py:NAME", help="a bifurcate Map, or a function f(x, **parameters)")
    parser.add_argument("--guess", type=float, nargs="+", required=True, metavar="X", help="a state near a solution")
    parser.add_argument(
        "--set",
        type=_setting,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="value of a parameter; repeatable (a function without one for --free begins at LOW)",
    )


def _add_axes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--component", type=int, default=0, metavar="I", help="drawn over the parameter (default 0)")


def _add_diagram(verbs: Any) -> None:
    parser = verbs.add_parser("diagram", help="find and draw all branches of a map")
    _add_map(parser)
    parser.add_argument("--free", required=True, metavar="NAME", help="the parameter that varies")
    parser.add_argument(
        "--bounds", type=float, nargs=2, required=True, metavar=("LOW", "HIGH"), help="of the parameter"
    )
    parser.add_argument(
        "--second", nargs=3, metavar=("NAME", "LOW", "HIGH"), help="a second parameter: follow special points in both"
    )
    parser.add_argument("--period", type=int, default=1, metavar="K", help="of the cycle at the guess (default 1)")
    parser.add_argument("--longest", type=int, metavar="K", help="the longest period that is followed")
    parser.add_argument("--depth", type=int, default=4, metavar="N", help="generations of branches (default 4)")
    parser.add_argument("--audit", action="store_true", help="trace all again with smaller steps")
    parser.add_argument("--prove", action="store_true", help="prove branches and special points")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes at work (default 1)")
    parser.add_argument("--journal", type=Path, metavar="FILE", help="note every step; go on where it was ended")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw it: .pdf, .png or .svg")
    parser.add_argument("--save", type=Path, metavar="FILE", help="save it: .npz")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write its special points as CSV")
    _add_axes(parser)
    parser.set_defaults(run=_diagram)


def _setting(text: str) -> tuple[str, float]:
    name, equals, value = text.partition("=")
    if not (name.isidentifier() and equals):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    try:
        return name, float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"the value of {name} is {value!r}, which is no number") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code: 0, 1 for a failure, 2 for unusable arguments, 130 after Ctrl-C."""
    chosen = argparse.Namespace(traceback=False)
    try:
        chosen = _parser().parse_args(arguments)
        code = int(chosen.run(chosen))
        sys.stdout.flush()
        return code
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else MISUSED
    except BrokenPipeError:  # whoever reads the output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        return _fail("interrupted", INTERRUPTED)
    except InvalidInput as error:
        return _fail(str(error), MISUSED, chosen.traceback)
    except BifurcateError as error:
        return _fail(str(error), FAILED, chosen.traceback)
    except Exception as error:  # the map is the user's, and may raise anything
        return _fail(f"{type(error).__name__}: {error}", FAILED, chosen.traceback)


def _fail(words: str, code: int, is_traced: bool = False) -> int:
    if is_traced:
        traceback.print_exc()
    print(f"bifurcate: error: {' '.join(words.split())}", file=sys.stderr)
    return code


def _find(name: str) -> Any:
    """What stands in FILE.py:NAME, or in module:NAME."""
    source, colon, inner = name.rpartition(":")
    if not colon or not source or not inner:
        raise InvalidInput(f"the map is {name!r}; write FILE.py:NAME")
    try:
        if source.endswith(".py"):
            module = _load_file(Path(source))
        else:
            sys.path.insert(0, os.getcwd())
            module = importlib.import_module(source)
    except InvalidInput:
        raise
    except Exception as error:  # the file is the user's, and may raise anything
        raise InvalidInput(f"{source} cannot be run: {type(error).__name__}: {error}") from error
    if not hasattr(module, inner):
        known = [each for each, value in vars(module).items() if isinstance(value, Map)]
        raise InvalidInput(f"{source} has no {inner!r}" + (f"; it has the maps {', '.join(known)}" if known else ""))
    return getattr(module, inner)


def _load_file(path: Path) -> Any:
    if not path.is_file():
        raise InvalidInput(f"there is no file {str(path)!r}")
    sys.path.insert(0, str(path.parent.resolve()))
    # By the file's own name, so that other processes find its functions.
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _map(chosen: argparse.Namespace, begins: Mapping[str, float] | None = None) -> Map:
    """The map that was named; a function's parameters without a value have those in ``begins``."""
    found, settings = _find(chosen.map), dict(chosen.set)
    if isinstance(found, Map):
        return found.replace(**settings)
    if not callable(found):
        raise InvalidInput(
            f"{chosen.map} is a {type(found).__name__}; it must be a Map or a function f(x, **parameters)"
        )
    missing = [name for name in _without_value(found) if name not in settings]
    settings |= {name: value for name, value in (begins or {}).items() if name in missing}
    if words := " ".join(f"--set {name}=VALUE" for name in missing if name not in settings):
        raise InvalidInput(f"{chosen.map} takes parameters for which no value is given: write {words}")
    return Map(found, settings)


def _without_value(function: Any) -> list[str]:
    """The parameters that a function f(x, …) takes beside its state and gives no value itself."""
    try:
        taken = list(inspect.signature(function).parameters.values())[1:]
    except (TypeError, ValueError):
        return []
    named = [each for each in taken if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)]
    return [each.name for each in named if each.default is each.empty]


def _check_target(path: Path | None, name: str, endings: Sequence[str] = ()) -> None:
    """Refuse a file that cannot be written before anything is computed."""
    if path is None:
        return
    check_folder(name, path)
    if endings and path.suffix not in endings:
        raise InvalidInput(f"{name} is {str(path)!r}; its ending must be {' or '.join(endings)}")


def _diagram(chosen: argparse.Namespace) -> int:
    _check_target(chosen.plot, "--plot", FORMATS)
    _check_target(chosen.save, "--save", (".npz",))
    _check_target(chosen.csv, "--csv")
    _check_target(chosen.journal, "--journal")
    bounds = {chosen.free: (chosen.bounds[0], chosen.bounds[1])}
    if chosen.second is not None:
        name, *ends = chosen.second
        try:
            bounds[name] = float(ends[0]), float(ends[1])
        except ValueError:
            raise InvalidInput(f"--second is {' '.join(chosen.second)}; write NAME LOW HIGH") from None
    map = _map(chosen, {name: ends[0] for name, ends in bounds.items()})
    curve = cycles(map, chosen.free, chosen.guess, period=chosen.period)
    if chosen.workers < 1:
        raise InvalidInput(f"--workers is {chosen.workers}; it must be at least 1")
    pool = process_pool(chosen.workers) if chosen.workers > 1 else None
    try:
        found = explore(
            curve,
            bounds,
            depth=chosen.depth,
            period=chosen.longest,
            audit=chosen.audit,
            journal=chosen.journal,
            prove=chosen.prove,
            executor=pool,
        )
    finally:
        if pool is not None:
            stop_pool(pool)
    print(found)
    if chosen.save is not None:
        save(found, chosen.save)
    if chosen.csv is not None:
        found.to_csv(chosen.csv, special=True)
    if chosen.plot is not None:
        _draw(found, chosen.plot, chosen.component)
    return INTERRUPTED if found.interrupted else DONE


def _show(chosen: argparse.Namespace) -> int:
    for path, name in ((chosen.csv, "--csv"), (chosen.special, "--special")):
        _check_target(path, name)
    found = load(chosen.file)
    print(found)
    for path, special in ((chosen.csv, False), (chosen.special, True)):
        if path is not None:
            if isinstance(found, Tabular) and not special:
                found.to_csv(path)
            else:
                _tabulated(found).to_csv(path, special=special)
    return DONE


def _tabulated(found: Any) -> Branch | Diagram:
    if not isinstance(found, Branch | Diagram):
        raise InvalidInput(f"the file holds a {type(found).__name__}; a branch or a diagram is asked for")
    return found


def _plot(chosen: argparse.Namespace) -> int:
    _check_target(chosen.out, "--out", FORMATS)
    _draw(_tabulated(load(chosen.file)), chosen.out, chosen.component)
    print(f"{chosen.out}")
    return DONE


def _draw(found: Branch | Diagram, path: Path, component: int) -> None:
    """Draw branches over their parameter, or, where there are curves in two parameters, these in their plane."""
    from bifurcate.plot.bifurcation_diagram import diagram
    from bifurcate.plot.drawing import figure_of
    from bifurcate.plot.two_parameter_chart import chart

    branches = [found] if isinstance(found, Branch) else list(found.branches)
    in_two = [branch for branch in branches if len(branch.curve.free) > 1]
    if in_two:
        figure = figure_of(chart(in_two, *in_two[0].curve.free[:2]))
    else:
        if not 0 <= component < branches[0].curve.size:
            raise InvalidInput(f"--component is {component}; the state has {branches[0].curve.size} numbers")
        figure = figure_of(diagram(branches, branches[0].curve.free[0], component))
    with written_atomically(path) as file:
        figure.savefig(file, format=path.suffix[1:], dpi=300)


def _verify(chosen: argparse.Namespace) -> int:
    from bifurcate.proofs.check import check_theorem, theorems_in  # python-flint is an extra

    map = None if chosen.map is None else _find(chosen.map)
    if map is not None and not isinstance(map, Map):
        raise InvalidInput(f"{chosen.map} is a {type(map).__name__}; it must be a Map")
    theorems = theorems_in(load(chosen.file, map))
    if not theorems:
        raise InvalidInput(f"{chosen.file} holds no theorem: save one, or a diagram that was explored with prove=True")
    for theorem in theorems:
        check_theorem(theorem)
        print(f"{theorem}\nproved again")
    return DONE


def _check(chosen: argparse.Namespace) -> int:
    found = diagnose(_find(chosen.map), np.array(chosen.guess), dict(chosen.set))
    marks = {"good": "ok   ", "doubtful": "doubt", "wrong": "WRONG"}
    for finding in found:
        print(f"{marks[finding.verdict]}  {finding}")
    return FAILED if any(finding.verdict == "wrong" for finding in found) else DONE
