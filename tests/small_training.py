"""Training runs small enough for a test."""

import numpy as np

from simulations.transformers.plans import TrainingPlan

SMALL = TrainingPlan(
    vocabulary=8,
    embedding_dim=2,
    context=12,
    layers=1,
    heads=2,
    head_dim=4,
    width=16,
    hidden=16,
    batch=32,
    steps=400,
    warmup=20,
    learning_rate=1e-2,
)
TINY = SMALL.model_copy(update={"context": 4, "hidden": 8, "batch": 4, "steps": 12, "warmup": 2})
EMBEDDINGS = np.random.default_rng(1).standard_normal((8, 2))
