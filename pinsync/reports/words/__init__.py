"""The words and layouts that several reports share."""
