"""Benchmarks that need no torch."""
