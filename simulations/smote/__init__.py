"""SMOTE: rows between neighbours, as pure functions of raw rows and random numbers."""
