"""Other ways to generate drums, on the same hits and under the same evaluation."""
