"""What is simulated: settings, generators, estimators and the cells of a sweep, validated once."""
