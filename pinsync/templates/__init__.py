"""Templates of the files that `pinsync init --ci` writes."""
