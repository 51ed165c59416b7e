"""nova-manage: what an operator asks and sets right.  One module a group of commands."""
