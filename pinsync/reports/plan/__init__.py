"""Reports of a plan: one module a format, each a pure function from a plan to text."""
