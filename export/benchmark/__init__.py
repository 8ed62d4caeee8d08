"""Benchmarks that need torch: training, and a peer."""
