"""Removing pictures with all that was made of them: rows, completions, files, history; a tombstone stays."""
