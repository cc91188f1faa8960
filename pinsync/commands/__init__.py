"""The commands: functions of typed options that return an exit code, and know nothing of click."""
