"""Pictures of hits."""
