"""Reports of shelves: one module a format."""
