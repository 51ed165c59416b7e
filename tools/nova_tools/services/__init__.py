"""The daemons that are not ours, each started by hand in a directory of its own.

One module a daemon; each offers a frozen class with ``prepare()`` (idempotent: makes the data directory)
and ``program(...)`` (how to run it, see :class:`nova_tools.processes.Program`), and the URL others need.
``tools/cloud`` runs them for a person, ``tests/support`` for a test.
"""
