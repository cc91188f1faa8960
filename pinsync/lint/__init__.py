"""The linter: a tracker's documents as they are written, the lint rules, and their findings."""
