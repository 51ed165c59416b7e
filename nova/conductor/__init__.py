"""The conductor: the only daemon that touches SQL.

``services/`` carry out requests (rules and one transaction each); ``relay/`` asks a host now; ``engine/``
runs ``workflows/``, which are lists of ``steps/``; ``reconcile/`` holds the loops that compare what should
be with what is.  ``endpoint.py`` ties the RPC contract to them, ``daemon.py`` builds it all.  Nothing but
``nova.cmd`` and ``nova.embedded`` imports this package.
"""
