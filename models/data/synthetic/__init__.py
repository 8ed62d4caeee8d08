"""A corpus of synthesized drums, for trying out training without recordings."""
