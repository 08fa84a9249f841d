"""Laws of the token world: sharp divergences, the published inequality, the chain to the floor."""
