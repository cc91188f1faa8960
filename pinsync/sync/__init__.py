"""Plan an export: the files, the proposal of a branch, and the guard against mass removal."""
