"""Errors of the machine a daemon runs on: programs and kernel settings."""

from __future__ import annotations

from nova.errors import NovaError


class CommandFailed(NovaError):
    """A program ended with an exit code that was not expected."""

    template = "{program} failed with exit code {code}: {stderr}"


class CommandTimedOut(NovaError):
    """A program was killed because it did not end in time."""

    template = "{program} was stopped after {seconds} seconds without an end."


class ProgramMissing(NovaError):
    """A program that is needed is not installed or may not be run."""

    template = "{program} cannot be run: {reason}"


class LinkMissing(NovaError):
    """A network device that is needed does not exist."""

    template = "There is no network device {device}."


class LinkRefused(NovaError):
    """The kernel would not change a network device, an address or a route."""

    template = "The network devices of this machine could not be changed: {reason}"
