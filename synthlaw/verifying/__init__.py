"""The command verify and its twin function: claims run, judged, reported."""
