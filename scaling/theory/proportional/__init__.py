"""The proportional regime: limits of ridge rules when the dimension grows with the rows, d/n fixed."""
