"""Training a transformer in context: the command ``train`` and what it leaves."""
