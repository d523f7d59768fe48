"""One module for each trainer's format: how its rows read, and in which files."""
