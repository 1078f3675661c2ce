"""How a spec of one kind becomes a theory."""
