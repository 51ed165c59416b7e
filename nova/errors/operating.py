"""Errors that are told to operators, by commands and at the start of daemons."""

from __future__ import annotations

from nova.errors import NovaError


class OptionNotUnderstood(NovaError):
    """The value of an option means nothing to us; the reason never holds the value, which may be secret."""

    template = "{option} is not understood: {reason}"


class SchemaAhead(NovaError):
    template = (
        "The schema is at {found}, which this release does not know (its own is {head}): "
        "the database is that of a newer release. Nothing was changed."
    )


class SchemaBusy(NovaError):
    template = (
        "Somebody else has been changing the schema for {seconds} s. Nothing was changed; look there first."
    )


class WorkflowOver(NovaError):
    """What is asked of a workflow comes too late, or is nothing that its kind knows."""

    template = "{reason}"
