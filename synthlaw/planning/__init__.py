"""The command plan and its twin function."""
