"""The network's maps: of the weights, of the reduction, averaged and composed."""
