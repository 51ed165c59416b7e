"""Makers of options whose unit is in the help text, and the writer of the sample file."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
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


class Recorder:
    """Takes down every option that is registered, by group; stands in for a configuration object."""

    def __init__(self) -> None:
        self.groups: dict[str, dict[str, cfg.Opt]] = {}

    def register_opt(self, option: cfg.Opt, group: str | None = None) -> None:
        """Take down an option."""
        self.groups.setdefault(group or "DEFAULT", {})[str(option.dest)] = option

    def register_opts(self, options: Iterable[cfg.Opt], group: str | None = None) -> None:
        """Take down several."""
        for option in options:
            self.register_opt(option, group)

    register_cli_opt = register_opt
    register_cli_opts = register_opts

    def in_order(self) -> Iterator[tuple[str, list[cfg.Opt]]]:
        """Yield each group with its options, ``DEFAULT`` first."""
        for group in sorted(self.groups, key=lambda name: (name != "DEFAULT", name)):
            yield group, [self.groups[group][dest] for dest in sorted(self.groups[group])]


def sample(recorder: Recorder) -> str:
    """Write all options with their defaults, commented out, as a configuration file."""
    lines = [
        "# Options of logging (debug, log_file, log_dir, use_json, ...) belong to oslo.log and stand under",
        "# [DEFAULT]; see its manual.",
        "",
    ]
    for group, options in recorder.in_order():
        lines.append(f"[{group}]")
        for option in options:
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
