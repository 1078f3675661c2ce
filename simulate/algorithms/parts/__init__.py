"""What message-passing algorithms share: the scalar functions of a theory."""
