"""The account of an apply or a restore: what was done, what is left, and why."""
