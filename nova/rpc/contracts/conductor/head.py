"""Topic and version that all parts of the conductor's contract share: a step of the version is one line."""

from __future__ import annotations

from nova.rpc.contract import contract

part = contract(topic="conductor", version="1.7")
"""Marks a class as a part; ``version`` grows with every change of any part."""
