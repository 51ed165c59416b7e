"""Errors that come from how data is kept."""

from __future__ import annotations

from nova.errors import BadRequest, Conflict, Unavailable


class DatabaseUnavailable(Unavailable):
    """The database did not answer within the bounded wait; nothing was changed."""

    template = "The database does not answer at the moment. Nothing was changed; please try again."


class CommitUnknown(Unavailable):
    """The connection was lost while a commit was under way: it may or may not have happened.

    Whoever gets this looks for the ids it meant to write before it tries again.
    """

    template = "The database was lost while it answered. Please look whether the change was made."


class Duplicate(Conflict):
    """A row with this key is there already."""

    template = "{what} already exists."


class MarkerNotFound(BadRequest):
    """The marker of a page names nothing in the list."""

    template = "marker [{marker}] not found"
