"""Requests that ask a host now and wait for it: consoles, diagnostics.  No transaction is open meanwhile."""
