"""What daemons ask of each other: one class per daemon, belonging to none of them.

A contract only declares.  The daemon's endpoint class has methods of the same names; clients are made from
the class by ``nova.rpc.client``.  Changing a method or a struct it uses needs a new version: the golden file
of fingerprints in ``tests/golden/rpc`` says so.
"""
