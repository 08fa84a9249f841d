"""The laws: predictions from theory, laws fitted to measurements, and the statistics of verdicts."""
