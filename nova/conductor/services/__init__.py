"""Requests: rules and one transaction each, plain functions without RPC.

A service never calls a daemon; what must ask a host at once is in ``nova/conductor/relay``.
"""
