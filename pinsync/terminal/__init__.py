"""The terminal: console, progress, pager, and questions to a person."""
