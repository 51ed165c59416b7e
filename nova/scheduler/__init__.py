"""Where instances go: the host table, filters, weighers and the daemon nova-scheduler.

``host_table`` holds what is known of the hosts as NumPy columns, ``pipeline.place`` is a pure function of
table, requests, options and a random source, ``endpoint`` and ``daemon`` serve it over RPC.  Runs in
nova-scheduler (and nova-all); only ``nova.cmd`` and ``nova.embedded`` import it.  It never touches SQL: its
view comes from the conductor and every decision is checked again by the conductor's claim.
"""

import os

# NumPy's linear algebra, of which nothing is used, starts a thread a core when it is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
