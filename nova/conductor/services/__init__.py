"""Requests: rules and one transaction each, plain functions.

A service waits for no daemon (what must ask a host at once is in ``nova/conductor/relay``); what it changed
it may tell to hosts after the commit, by a cast.
"""
