"""Stimuli: tuning curves, drives, sets of stimuli, the target of the weights."""
