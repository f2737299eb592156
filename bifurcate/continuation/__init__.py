"""Pseudo-arclength continuation: predictor, corrector, step-size control, branches."""
