"""The public names, and where each is defined: the one list of them (lazy_loader reads it)."""

from . import (
    adaptation as adaptation,
    errors as errors,
    gradient as gradient,
    linalg as linalg,
    maps as maps,
    plot as plot,
    proofs as proofs,
)
from .attractors.attractor import Attractor as Attractor
from .attractors.attractor_continuation import (
    AttractorContinuation as AttractorContinuation,
    AttractorEvent as AttractorEvent,
    attractor_continuation as attractor_continuation,
)
from .attractors.attractors import (
    Attractors as Attractors,
    attractor_of as attractor_of,
    attractors as attractors,
)
from .attractors.basin_boundary import (
    BasinBoundary as BasinBoundary,
    FatalShock as FatalShock,
    boundary_points as boundary_points,
    fatal_shock as fatal_shock,
)
from .attractors.basin_measures import (
    BasinEntropy as BasinEntropy,
    BoundaryKind as BoundaryKind,
    UncertaintyExponent as UncertaintyExponent,
    basin_entropy as basin_entropy,
    boundary_kind as boundary_kind,
    uncertainty_exponent as uncertainty_exponent,
)
from .attractors.edge_tracking import EdgeState as EdgeState, edge_state as edge_state
from .attractors.basins import Basins as Basins, basins as basins
from .attractors.fractions import Fraction as Fraction
from .attractors.times import (
    EscapeTimes as EscapeTimes,
    ReturnTimes as ReturnTimes,
    escape_times as escape_times,
    return_times as return_times,
)
from .attractors.plane import Plane as Plane
from .attractors.find_cycles import find_cycles as find_cycles
from .attractors.found_cycles import FoundCycles as FoundCycles
from .bifurcations.codimension_one.branch_switching import switch as switch, switches as switches
from .bifurcations.codimension_two.loci import locus as locus
from .bifurcations.codimension_two.tongue import Tongue as Tongue
from .bifurcations.codimension_two.tongues import tongue as tongue
from .bifurcations.codimension_one.direct_location import special_point as special_point
from .bifurcations.special_point import (
    NormalForm as NormalForm,
    SpecialPoint as SpecialPoint,
    normal_form as normal_form,
)
from .continuation.branch import Branch as Branch, BranchEnds as BranchEnds, Point as Point
from .continuation.deflated_continuation import (
    DeflatedBranches as DeflatedBranches,
    deflated_continuation as deflated_continuation,
)
from .continuation.extend import extend as extend
from .progress import Progress as Progress
from .continuation.many_branches import ManyBranches as ManyBranches, SpecialPoints as SpecialPoints
from .continuation.step_control import StepControl as StepControl
from .continuation.stepper import Step as Step
from .continuation.trace import steps as steps, trace as trace
from .continuation.trace_many import trace_many as trace_many
from .curves.corrector_settings import Corrector as Corrector
from .curves.curve import Curve as Curve
from .curves.curve_point import CurvePoint as CurvePoint
from .curves.cycle import cycles as cycles
from .curves.event import Event as Event
from .diagram.audit import Audit as Audit
from .diagram.diagram import Diagram as Diagram, FailedCurve as FailedCurve
from .diagram.explore import explore as explore
from .linalg.bordered_system import Krylov as Krylov
from .linalg.low_rank import LowRank as LowRank
from .linalg.multipliers import Spectrum as Spectrum
from .linalg.operators import DiagonalLowRank as DiagonalLowRank, ShiftedLowRank as ShiftedLowRank
from .manifolds.connecting_orbit import ConnectingOrbit as ConnectingOrbit
from .manifolds.connecting_orbits import (
    ConnectingOrbits as ConnectingOrbits,
    connecting_orbits as connecting_orbits,
    connections as connections,
)
from .manifolds.crisis import Crisis as Crisis, crisis as crisis
from .manifolds.manifold_surface import (
    ManifoldSheet as ManifoldSheet,
    ManifoldSurface as ManifoldSurface,
    manifold_surface as manifold_surface,
)
from .manifolds.manifold import Manifold as Manifold, ManifoldBranch as ManifoldBranch, manifold as manifold
from .manifolds.invariant_curve import InvariantCurve as InvariantCurve, invariant_curve as invariant_curve
from .manifolds.invariant_curves import invariant_curves as invariant_curves
from .manifolds.rotation_number import RotationNumber as RotationNumber, rotation_number as rotation_number
from .maps.composition import compose as compose, forced as forced
from .maps.units import in_units as in_units
from .maps.constraint import constrained as constrained
from .maps.cycle_multipliers import multipliers as multipliers
from .maps.map import Map as Map
from .newton.deflated_search import FailedAttempt as FailedAttempt
from .newton.deflation import DeflationResult as DeflationResult, deflate as deflate
from .newton.deflation_operator import Deflation as Deflation
from .newton.newton import Newton as Newton
from .newton.newton_krylov import NewtonKrylov as NewtonKrylov
from .newton.solutions import Solutions as Solutions
from .newton.solve_many import solve_many as solve_many
from .newton.solve import Solution as Solution, solve as solve
from .orbits.alignment_indices import (
    AlignmentIndices as AlignmentIndices,
    alignment_indices as alignment_indices,
)
from .orbits.ensemble import Ensemble as Ensemble, ensemble as ensemble
from .orbits.expansion_entropy import (
    ExpansionEntropy as ExpansionEntropy,
    expansion_entropy as expansion_entropy,
)
from .orbits.finite_time_exponents import (
    FiniteTimeExponents as FiniteTimeExponents,
    finite_time_exponents as finite_time_exponents,
)
from .orbits.lyapunov_exponents import Exponents as Exponents, lyapunov as lyapunov
from .orbits.orbit import Orbit as Orbit, orbit as orbit
from .orbits.orbit_diagram import OrbitDiagram as OrbitDiagram, orbit_diagram as orbit_diagram
from .orbits.zero_one_test import ZeroOneTest as ZeroOneTest, zero_one_test as zero_one_test
from .sweep import sweep as sweep
from .sweep_result import FailedPoint as FailedPoint, Sweep as Sweep
from .orbits.parameter_plane import ParameterPlane as ParameterPlane, parameter_plane as parameter_plane
from .storage.save_and_load import load as load, save as save
from .proofs.branch_theorem import BranchTheorem as BranchTheorem
from .proofs.diagram_theorem import DiagramTheorem as DiagramTheorem
from .proofs.network_theorem import NetworkTheorem as NetworkTheorem
from .proofs.point_theorem import PointTheorem as PointTheorem
from .proofs.prove import prove as prove
from .proofs.two_parameter_points import TwoParameterTheorem as TwoParameterTheorem

__version__: str
