"""Humanizes folders of hits: many files, resumable, on one machine or a cluster."""
