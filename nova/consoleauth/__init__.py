"""nova-consoleauth: makes console tokens and tells what they stand for.

A token is short-lived, stored only as a hash (by the conductor), and bound to one instance, host and port.
"""
