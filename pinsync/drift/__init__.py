"""Compare two snapshots: pairs of customizations, their changes, and the causes of changes."""
