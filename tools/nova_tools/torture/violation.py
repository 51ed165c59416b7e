"""A promise that was broken."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Violation:
    """Which promise, and what shows that it was broken."""

    rule: str
    sentence: str
