"""What becomes of an orbit in the long run, and where that changes."""
