"""The commands: plain functions of typed arguments that return an exit code; none knows the option parser."""
