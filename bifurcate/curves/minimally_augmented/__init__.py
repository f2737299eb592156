"""Curves of special points in two parameters, as minimally augmented systems.

``augmented_system`` draws the systems; ``fold_and_flip_curves``, ``neimark_sacker_curves`` and
``branch_point_curves`` hold one kind each;
``borders`` makes what they are bordered with.
"""
