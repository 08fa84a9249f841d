"""The token world: exact laws of tokens, generators of them from seeds, classifiers on them."""
