"""The base of all values."""

from __future__ import annotations

import msgspec


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A frozen value with named fields; equal by content.

    Subclasses write ``kw_only=True`` themselves: msgspec does not hand it down.  Values hold values and can
    be in no cycle, so the collector of cycles need not know them.
    """
