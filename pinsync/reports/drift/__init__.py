"""Reports of a drift: one module a format, each a pure function from a drift to text."""
