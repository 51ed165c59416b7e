"""Errors that know who may see them.

Every foreseen error of the tree is a class below :class:`NovaError`.  A class carries its HTTP status, its
EC2 code and a sentence for its reader; an instance carries the *facts* that fill the sentence.  Handlers
raise and never translate: the API edges render the class (``nova/api/wsgi/faults.py``, EC2's own), and over
RPC an error travels as the value ``[class name, facts]`` (:meth:`NovaError.to_wire`, :func:`revive`).

Everybody may import this package; it imports nothing of nova.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from typing import Any, ClassVar

_REGISTRY: dict[str, type[NovaError]] = {}


class NovaError(Exception):
    """A foreseen error.  ``facts`` must be JSON values; they may travel over RPC."""

    http: ClassVar[int] = 500
    ec2: ClassVar[str] = "InternalError"
    template: ClassVar[str] = "The request could not be carried out."
    retry_after: ClassVar[int | None] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__name__ in _REGISTRY:
            raise TypeError(f"two error classes are called {cls.__name__}")
        _REGISTRY[cls.__name__] = cls

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        super().__init__(self.sentence())

    def sentence(self) -> str:
        """Return the text for the user; never raises, whatever the facts are."""
        try:
            return self.template.format(**self.facts)
        except (KeyError, IndexError, ValueError):
            return self.template

    def to_wire(self) -> list[Any]:
        """Return ``[class name, facts]``, what :func:`revive` takes."""
        return [type(self).__name__, self.facts]


class BadRequest(NovaError):
    """The request itself is wrong."""

    http, ec2, template = 400, "InvalidParameterValue", "{reason}"


class Forbidden(NovaError):
    """The caller may not do that."""

    http, ec2, template = 403, "UnauthorizedOperation", "{reason}"


class NotFound(NovaError):
    """There is no such thing, or the caller may not know of it."""

    http, ec2, template = 404, "InvalidParameterValue", "{what} {id} could not be found."


class Conflict(NovaError):
    """The thing is not in a state in which this can be done."""

    http, ec2, template = 409, "IncorrectState", "{reason}"


class Unsupported(NovaError):
    """What was asked for is not something this deployment can do."""

    http, ec2, template = 501, "UnsupportedOperation", "{reason}"


class Unavailable(NovaError):
    """A part that is needed does not answer now; trying again later is right."""

    http, ec2, retry_after = 503, "Unavailable", 5
    template = "{part} does not answer at the moment. Nothing was changed; please try again."


class UnknownError(NovaError):
    """A foreseen error of a newer release, seen by an older one."""

    template = "{reason}"


def revive(name: str, facts: dict[str, Any]) -> NovaError:
    """Rebuild an error from its wire form; an unknown class becomes :class:`UnknownError`."""
    found = _REGISTRY.get(name) or _everything().get(name)
    if found is None:
        return UnknownError(reason=facts.get("reason") or f"{name}: {facts}")
    return found(**facts)


def all_errors() -> dict[str, type[NovaError]]:
    """Return every known error class by name (for documentation and contract fingerprints)."""
    return dict(_everything())


@functools.cache
def _everything() -> dict[str, type[NovaError]]:
    """Return the registry with the classes of every module of this package in it.

    A daemon imports the errors that it raises; it is told those of others too.
    """
    for found in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{found.name}")
    return _REGISTRY
