"""OSC: the server, its addresses and its wire format."""
