"""What touches the machine with root's rights: programs, links and addresses, packet rules, files.

Small verbs without policy: what a host *should* look like is decided by the daemons' own packages
(``nova/network``, ``nova/virt``), which hand the wish down.  Runs inside nova-compute and nova-network; both
may import it.  It imports errors, objects and concurrency only, and every call that may wait is safe under
green threads.
"""
