"""How many synthetic rows for a given table: fits, curve, tests and checks on arrays."""
