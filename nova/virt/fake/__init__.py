"""A hypervisor without machines, for tests, demonstrations and benchmarks; a product like the others.

* :mod:`nova.virt.fake.world` keeps strict books: a disk, interface, MAC, address or guest that is used twice
  is refused loudly and written down.
* :mod:`nova.virt.fake.script` delays, fails, hangs and lies on order.
* :mod:`nova.virt.fake.driver` is what nova-compute talks to; thousands fit into one process.

Runs in nova-compute; the invariant checker reads the books.
"""
