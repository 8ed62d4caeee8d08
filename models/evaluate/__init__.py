"""Made strokes and new drums beside real ones."""
