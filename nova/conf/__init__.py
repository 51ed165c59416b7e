"""Configuration: one oslo.config object a process, made by :func:`load` and handed to those who need it.

Every module of this package but :mod:`nova.conf.options` is a *subject*: it lists its options in
``OPTIONS`` (under ``GROUP``) or has a ``register(conf)`` of its own.  Subjects are found by being here;
nothing else lists them.  Option modules import oslo.config only, so that reading all of them costs little.

Everybody above may import it; nothing here is global.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import cast

from oslo_config import cfg

from nova import __version__
from nova.conf.options import Recorder

CONFIG_FOLDER = "/etc/nova"
FROM_LIBRARIES = frozenset({f"{__name__}.log"})
"""Subjects whose options a library declares; they differ with its release and are documented there."""


def load(
    argv: Sequence[str] = (), files: Sequence[str] | None = None, *, program: str = "nova"
) -> cfg.ConfigOpts:
    """Read the configuration.

    ``files`` are read in order, later ones win; none means ``/etc/nova/nova.conf``,
    ``/etc/nova/<program>.conf`` and ``/etc/nova/nova.conf.d/*.conf``, those that exist.  ``argv`` may say
    otherwise with ``--config-file`` and ``--config-dir``, and sets single options.  Raises what
    oslo.config raises for wrong values (``ConfigFileValueError`` and its kin);
    ``SystemExit`` after ``--help`` and ``--version``.
    """
    conf = cfg.ConfigOpts()
    for subject in subjects():
        register(conf, subject)
    folders: list[str] = []
    if files is None:
        names = (os.path.join(CONFIG_FOLDER, f"{name}.conf") for name in ("nova", program))
        files = [name for name in dict.fromkeys(names) if os.path.exists(name)]
        folders = [f for f in (os.path.join(CONFIG_FOLDER, "nova.conf.d"),) if os.path.isdir(f)]
    conf(
        list(argv),
        project="nova",
        prog=program,
        version=__version__,
        default_config_files=list(files),
        default_config_dirs=folders,
    )
    return conf


def subjects() -> Iterator[ModuleType]:
    """Yield every option module, in the order of their names."""
    for found in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        if found.name != "options":
            yield importlib.import_module(f"{__name__}.{found.name}")


def declared() -> Recorder:
    """Return every option that the tree itself declares, as it would be registered."""
    recorder = Recorder()
    for subject in subjects():
        if subject.__name__ not in FROM_LIBRARIES:
            register(cast(cfg.ConfigOpts, recorder), subject)
    return recorder


def register(conf: cfg.ConfigOpts, subject: ModuleType) -> None:
    """Register the options of one subject on ``conf``; may be done twice."""
    if hasattr(subject, "register"):
        subject.register(conf)
        return
    group = getattr(subject, "GROUP", None)
    for option in subject.OPTIONS:
        conf.register_opt(option, group=group)
    for option in getattr(subject, "CLI_OPTIONS", ()):
        conf.register_cli_opt(option, group=group)
