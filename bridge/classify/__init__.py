"""Which drum a hit is, by its sound."""
