"""Reports: one module a format, each a pure function from changes to text."""
