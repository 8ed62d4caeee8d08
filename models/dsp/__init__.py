"""The MDCT, the decomposition of a hit, and measures of sound."""
