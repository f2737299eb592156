"""Special points of one parameter: detection, location, normal forms, branch switching."""
