"""Made strokes and new drums compared with real ones."""
