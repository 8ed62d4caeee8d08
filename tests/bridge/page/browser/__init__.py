"""A package, so that one browser serves all tests in here and ends with them."""
