"""Folders of hits made into instruments."""
