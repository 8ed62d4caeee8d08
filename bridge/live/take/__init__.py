"""Takes: recordings of a live session that render again to the byte."""
