"""Curves of special points in two parameters, as minimally augmented systems."""
