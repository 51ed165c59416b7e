"""Behind ``tools/cloud`` and ``tools/test``: installing, starting and proving a cloud on one machine.

Only the standard library is used, so that everything here runs on a bare Debian machine before anything
is installed.  ``services/`` runs the daemons that are not ours (RabbitMQ, MariaDB, PostgreSQL, Keystone,
Glance, libvirt); ``cloud/`` is the command ``tools/cloud``; ``checks/`` is the command ``tools/test``.
Tests import ``services`` and ``guest_image`` through ``tests/support``; nothing of ``nova`` imports this.
"""
