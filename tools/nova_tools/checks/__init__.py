"""The command ``tools/test``: installs what the tests need, runs the parts, adds up the results."""
