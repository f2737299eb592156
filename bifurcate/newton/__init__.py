"""Newton and Newton-Krylov solvers for fixed points and cycles."""
