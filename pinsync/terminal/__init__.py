"""How a command speaks: the console, the progress of what is waited for, and the pager."""
