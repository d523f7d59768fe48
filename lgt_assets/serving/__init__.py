"""Local model servers for a profile: the command of each, its process, and the list in which clients find it."""
