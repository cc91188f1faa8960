"""Two snapshots side by side: pairs of customizations, their changes, and why they differ."""
