"""Kits of other samplers, read as pads."""
