"""One replicate after another: draw rows, fit, measure exactly."""
