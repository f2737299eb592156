"""Equilibria of the network and their stability."""
