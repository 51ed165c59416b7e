"""Where things lie on this machine: the checkout, and the one directory that holds all state."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Places:
    """The state directory (``home``) and what lies in it.

    ``installed`` holds what only costs time to make again (virtual environments, kernel, guest image);
    the rest is the cloud's or the tests' own state.
    """

    home: Path
    installed: Path

    @classmethod
    def of_cloud(cls) -> Places:
        """``NOVA_CLOUD_HOME``, else ``/var/lib/nova-cloud``."""
        return cls._of("NOVA_CLOUD_HOME", "/var/lib/nova-cloud")

    @classmethod
    def of_tests(cls) -> Places:
        """``NOVA_TEST_HOME``, else ``/var/lib/nova-test``: tests never touch a running cloud."""
        return cls._of("NOVA_TEST_HOME", "/var/lib/nova-test")

    @classmethod
    def _of(cls, variable: str, default: str) -> Places:
        home = Path(os.environ.get(variable) or default).resolve()
        installed = os.environ.get("NOVA_INSTALLED")
        return cls(home, Path(installed).resolve() if installed else home / "installed")

    @property
    def run(self) -> Path:
        """Pid files."""
        return self.home / "run"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def stamps(self) -> Path:
        """Remembers which installing steps are done."""
        return self.installed / "stamps"

    @property
    def guest(self) -> Path:
        """The kernel and the guest image."""
        return self.installed / "guest"

    @property
    def known(self) -> Path:
        """What was found out about this machine; it says itself whether it still holds."""
        return self.installed / "known"

    def venv(self, name: str) -> Path:
        """A virtual environment."""
        return self.installed / "venvs" / name
