"""From an estimate and its standard error to supported, contradicted or unresolved."""
