"""Where ``tools/test`` put what it installed; the defaults are its own, so pytest alone works too."""

from __future__ import annotations

import os
from pathlib import Path


def installed() -> Path:
    """Return the directory of environments and templates."""
    return Path(os.environ.get("NOVA_INSTALLED", "/var/lib/nova-test/installed"))


def identity_environment() -> Path:
    """Return the virtual environment of Keystone and Glance."""
    return Path(os.environ.get("NOVA_TEST_IDENTITY", installed() / "venvs/identity"))


def clients_environment() -> Path:
    """Return the virtual environment of the ``nova`` and ``openstack`` commands."""
    return Path(os.environ.get("NOVA_TEST_CLIENTS", installed() / "venvs/clients"))
