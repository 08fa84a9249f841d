"""Laws fitted to curves: from points to parameters, their intervals and warnings."""
