"""Curves of special points in two parameters, as minimally augmented systems.

``augmented_system`` draws the systems; ``fold_flip``, ``neimark_sacker`` and ``branch_point`` hold one kind each;
``borders`` makes what they are bordered with.
"""
