"""The files that `pinsync init --ci` writes."""
