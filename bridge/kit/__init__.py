"""Kits: the default one, and the formats of other samplers."""
