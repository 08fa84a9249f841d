"""How many synthetic rows: sizes, symmetry, quality and correction of a generator's bias."""
