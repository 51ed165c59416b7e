"""Tables and queries: the one place where SQL is written.

Runs in the conductor and in ``nova-manage``; nobody else may import it.  One module an aggregate, its table
beside its queries; functions take a transaction first, speak values of :mod:`nova.objects` and never rows,
and take and give lists wherever a caller may have many.  The same code runs on SQLite, MariaDB/MySQL and
PostgreSQL.

Conventions that keep the three alike and the statements few:

* times are text of fixed width (``2030-01-01T00:00:00.000000Z``): they sort, and are JSON as they stand;
* columns that are filtered or sorted are never NULL: nothing is the empty string, so that comparing,
  paging and swapping need no special case;
* truth values are 0 and 1; what is only read whole is JSON text, written whole by its owner;
* who won a conditional change is told by row counts and, where some lost, by a stamp that the winner left.
"""
