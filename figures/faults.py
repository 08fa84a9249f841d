"""What cannot be pictured, said in one sentence."""


class FigureError(ValueError):
    """A folder, name or table that cannot be pictured; the text is one sentence with the remedy."""
