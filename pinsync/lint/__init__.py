"""The linter: the documents of a tracker, the lint rules, and their findings."""
