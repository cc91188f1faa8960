"""The terminal: console, progress, and pager."""
