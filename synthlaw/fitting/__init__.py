"""The command fit and its twin function."""
