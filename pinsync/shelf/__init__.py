"""Shelves: the pins of a rule as shoppers see them at one moment."""
