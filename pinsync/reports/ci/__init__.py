"""Findings as CI systems take them: one module a format."""
