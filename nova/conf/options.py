"""Makers of options whose unit is in the help text, and the writer of the sample file."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from types import ModuleType
from typing import Any

from oslo_config import cfg


def seconds(name: str, default: float, text: str, *, least: float = 0.0, **more: Any) -> cfg.Opt:
    """Make an option in seconds."""
    return cfg.FloatOpt(name, default=default, min=least, help=f"{text} (seconds)", **more)


def count(name: str, default: int, text: str, *, least: int = 0, **more: Any) -> cfg.Opt:
    """Make an option that counts things."""
    return cfg.IntOpt(name, default=default, min=least, help=text, **more)


def size(name: str, default: int, text: str, **more: Any) -> cfg.Opt:
    """Make an option in bytes."""
    return cfg.IntOpt(name, default=default, min=0, help=f"{text} (bytes)", **more)


def sample(subjects: Iterable[ModuleType]) -> str:
    """Write all options with their defaults, commented out, as a configuration file."""
    groups: dict[str, list[cfg.Opt]] = {}
    for subject in subjects:
        options = [*getattr(subject, "OPTIONS", ()), *getattr(subject, "CLI_OPTIONS", ())]
        groups.setdefault(getattr(subject, "GROUP", None) or "DEFAULT", []).extend(options)
    lines: list[str] = []
    for group in sorted(groups, key=lambda name: (name != "DEFAULT", name)):
        lines.append(f"[{group}]")
        for option in sorted(groups[group], key=lambda o: str(o.dest)):
            lines.append("")
            lines += textwrap.wrap(
                option.help or "", 98, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
            )
            lines.append(f"#{option.dest} = {_shown(option)}")
        lines.append("")
    return "\n".join(lines)


def _shown(option: cfg.Opt) -> str:
    value = option.sample_default if option.sample_default is not None else option.default
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return ",".join(f"{key}:{item}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ",".join(str(item) for item in value)
    return str(value)
