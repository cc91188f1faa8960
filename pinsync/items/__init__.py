"""Titles and images of items: their file, and the items that customizations mention."""
