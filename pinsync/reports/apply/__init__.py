"""The account of an apply or a restore: finished and missing operations, with reasons."""
