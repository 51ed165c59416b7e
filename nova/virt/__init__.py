"""Drivers: how guests are made on one kind of hypervisor.

Runs in nova-compute only, and only nova-compute may import it.  A driver knows nothing of RPC, SQL or the
API: it takes values of ``nova/objects`` and files that the agent prepared, and raises errors of
``nova/errors``.  ``base.py`` says what every driver must do, ``capabilities.py`` what it may do besides.
"""
