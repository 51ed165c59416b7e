"""The check of a whole cloud: books against books, and books against what hosts really hold.  Reads only.

``nova-manage doctor``, the tests and ``tools/torture`` use this one piece of code.  Only they import it.

* :mod:`nova.audit.checker` looks twice and believes what stays.
* :mod:`nova.audit.hosts` asks the agents and compares; the questions in SQL are in :mod:`nova.db.audit`.
"""
