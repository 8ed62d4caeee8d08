"""Audio drivers: where the blocks of the live engine go."""
