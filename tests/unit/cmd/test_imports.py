"""No daemon imports what it does not use; asked of a fresh interpreter, once for each program."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SQL = {"sqlalchemy", "alembic", "pymysql", "psycopg", "sqlite3", "_sqlite3"}
HYPERVISORS = {"libvirt", "libvirtmod", "nova.virt.libvirt.driver", "nova.virt.fake"}
NETWORKS = {"pyroute2", "nova.privsep.links"}
HTTP_API = {"routes", "webob", "jsonschema_rs", "waitress", "oslo_policy", "nova.api.compute"}
KEYSTONE = {"keystonemiddleware", "keystoneauth1", "requests"}
CONSOLES = {"websockify"}
BROKER = {"oslo_messaging", "kombu", "amqp"}
NOBODYS = {"OpenSSL", "glanceclient", "unittest"}

# What nothing imports before the options are read: libraries of a database, broker or identity
# service come with the option that asks for them.
_COMMON = HYPERVISORS | NETWORKS | KEYSTONE | CONSOLES | BROKER | NOBODYS | {"alembic"}
_DRIVERS = {
    "pymysql",
    "psycopg",
    "sqlite3",
    "_sqlite3",
    "sqlalchemy.dialects.mysql",
    "sqlalchemy.dialects.sqlite",
}

UNUSED: dict[str, set[str]] = {
    "api": _COMMON | SQL | {"numpy", "nova.db", "nova.scheduler", "nova.conductor", "nova.virt"},
    "metadata": _COMMON | SQL | {"numpy", "nova.db", "nova.scheduler", "nova.conductor", "nova.virt"},
    "conductor": _COMMON | _DRIVERS | HTTP_API | {"numpy", "nova.api", "nova.scheduler", "nova.compute"},
    "scheduler": _COMMON | SQL | HTTP_API | {"nova.db", "nova.conductor", "nova.api", "nova.virt"},
    "compute": _COMMON | SQL | HTTP_API | {"numpy", "nova.db", "nova.scheduler", "nova.conductor"},
    "network": (_COMMON - NETWORKS) | SQL | HTTP_API | {"numpy", "nova.db", "nova.scheduler", "nova.virt"},
    "consoleauth": _COMMON | SQL | HTTP_API | {"numpy", "nova.db", "nova.virt", "cryptography"},
    "novncproxy": (_COMMON - CONSOLES) | SQL | HTTP_API | {"nova.db", "nova.virt"},
    "all": _COMMON
    | SQL
    | HTTP_API
    | {"numpy", "nova.db", "nova.conductor", "nova.scheduler", "nova.compute"},
}


@pytest.mark.parametrize(
    ("program", "mode"), [*((name, "eventlet") for name in sorted(UNUSED)), ("all", "threading")]
)
def test_a_program_imports_only_what_it_uses(program: str, mode: str) -> None:
    found = subprocess.run(
        [sys.executable, "-c", f"import sys, nova.cmd.{program}; print(*sys.modules)"],
        env=os.environ | {"NOVA_CONCURRENCY": mode},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert not found.stderr, "a daemon says nothing before it has read its options"
    loaded = set(found.stdout.split())
    assert loaded & UNUSED[program] == set()


def test_the_scheduler_has_one_thread_before_it_starts_any() -> None:
    ask = "import os, nova.cmd.scheduler, numpy.linalg; print(len(os.listdir('/proc/self/task')))"
    clean = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    found = subprocess.run(
        [sys.executable, "-c", ask], env=clean, capture_output=True, text=True, timeout=120, check=True
    )
    assert found.stdout.strip() == "1"
