"""nova-compute: does jobs on its hosts and reports facts.  It keeps no database and may be killed any time.

* :mod:`nova.compute.daemon` puts it together; :mod:`nova.compute.endpoint` is its face on the wire.
* :mod:`nova.compute.book` knows what was ordered, how it ended, and what the conductor has not yet heard.
* :mod:`nova.compute.turns` decides what runs when: one job of a guest at a time, some of a kind on a host.
* :mod:`nova.compute.jobs` does one job, with the deeds in :mod:`nova.compute.ops`.
* The other modules are the reports and the things that builds need (images, config drives).

One process serves one real host, or any number of fake ones that share workers and loops.  Only this package
reaches hypervisors (:mod:`nova.virt`).
"""
