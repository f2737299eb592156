"""Curves to trace: what a Curve is, and the functions that return one."""
