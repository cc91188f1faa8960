"""The files of a repository, the configuration that belongs to them, and the states that can be read."""
