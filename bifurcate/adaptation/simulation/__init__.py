"""Simulations: runs, protocols, and when weights settle under changing inputs."""
