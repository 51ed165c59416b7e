"""Messages between daemons: contracts, clients and servers made from them, transports.

A contract (``nova/rpc/contracts``) declares what a daemon can be asked and belongs to no daemon.
A typed client (:mod:`nova.rpc.client`) and a server (:mod:`nova.rpc.server`) are made from it.
Below both: :mod:`nova.rpc.payload` (what is on the wire) and :mod:`nova.rpc.transport` (who carries it).

Every daemon may import this package; it imports objects, errors and configuration only.
"""
