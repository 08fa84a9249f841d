"""Which law, and what it says beyond the last point."""
