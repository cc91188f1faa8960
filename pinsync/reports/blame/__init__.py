"""Reports of blame: one module a format."""
