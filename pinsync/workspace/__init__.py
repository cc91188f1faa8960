"""The files of a repository, their configuration, and the sources of a comparison."""
