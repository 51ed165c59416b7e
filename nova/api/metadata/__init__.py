"""The metadata service: tells every guest about itself, and nobody about another.

Who asks is proved by the source address of the connection (nova-network lets only a known pair of MAC and
address through) or by a proxy's signature; what it is told is made by the pure trees of ``nova.guestdata``.
Runs in nova-api-metadata or nova-all.  It knows the HTTP kit but not the other mouths, and no SQL.
"""
