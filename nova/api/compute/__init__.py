"""The OpenStack Compute API v2.1 (and its ``/v2`` elder), served by nova-api.

One module a resource declares its operations; ``registry`` lists the modules; ``versions`` holds the history
of microversions as data; ``app`` builds the WSGI application of it all.
"""
