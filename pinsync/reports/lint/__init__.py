"""Reports of the linter: one module a format."""
