"""Reports in the formats of CI systems: one module a format."""
