"""Theorems about maps: solutions, special points, branches and diagrams, proved in ball arithmetic.

What continuation has computed is taken as a claim, and checked again from the user's own function, with every rounding
error enclosed. The arithmetic is that of Arb (Johansson, IEEE Trans. Computers 66 (2017) 1281), by python-flint.
"""

from bifurcate.proofs.all_cycles import AllCycles, prove_all_cycles
from bifurcate.proofs.check import check_theorem, theorems_in
from bifurcate.proofs.jets import NotEvaluable, Undecided

__all__ = ["AllCycles", "NotEvaluable", "Undecided", "check_theorem", "prove_all_cycles", "theorems_in"]
