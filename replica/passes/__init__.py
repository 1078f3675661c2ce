"""Theory to theory, one verb a file."""
