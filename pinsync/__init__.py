"""Luigi's Box recommender pins under git."""

__version__ = "0.1.0"
