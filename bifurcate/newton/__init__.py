"""Newton, Newton–Krylov and deflation: one fixed point or cycle, or several, at fixed parameters."""
