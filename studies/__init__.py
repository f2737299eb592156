"""Studies: short scripts that use the package as a reader would, one bifurcation diagram each."""
