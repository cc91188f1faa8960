"""Words and layouts that several reports share."""
