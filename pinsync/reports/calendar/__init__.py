"""Reports of calendars: one module a format."""
