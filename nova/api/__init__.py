"""The mouths: what tenants and guests speak to.

``wsgi`` is the kit they share, ``compute`` the OpenStack Compute API; each runs in nova-api (or nova-all).
A mouth parses, authorizes, makes one conductor call and renders.  No business rules, no SQL.
"""
