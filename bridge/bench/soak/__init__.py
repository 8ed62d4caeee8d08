"""A soak of the live engine: notes for minutes, and all that can go wrong in between."""
