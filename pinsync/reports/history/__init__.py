"""Reports of history: one module a format."""
