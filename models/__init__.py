"""The torch side: transform, factors, networks, training and sampling."""
