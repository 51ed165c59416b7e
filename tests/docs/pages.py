"""What the pages for people say, read as data."""

from __future__ import annotations

import re
import textwrap

from nova_tools.places import CHECKOUT

PAGES = (
    "README.rst", "CONTRIBUTING.rst", "doc/source/user.rst", "doc/source/operator.rst",
    "doc/source/installing.rst", "doc/source/architecture.rst", "doc/source/reliability.rst",
    "doc/source/performance.rst", "doc/source/security.rst",
)  # fmt: skip


def text(page: str) -> str:
    """Return a page."""
    return (CHECKOUT / page).read_text()


def blocks(page: str) -> list[str]:
    """Return the literal blocks of a page, without their indentation."""
    found = re.findall(r"::\n\n((?:[ ]+[^\n]*\n|\n)+)", text(page) + "\n")
    return [textwrap.dedent(block).strip("\n") for block in found]


def commands(page: str) -> list[str]:
    """Return the lines of the literal blocks that are commands of ours or of clients, uncommented."""
    lines = [line.split("  #")[0].strip() for block in blocks(page) for line in block.splitlines()]
    starts = ("./tools/", "tools/", "nova ", "nova-", "openstack ", "eval ")
    return [line for line in lines if line.startswith(starts)]


def inline(page: str) -> list[str]:
    """Return everything a page sets in a fixed font within its sentences and tables."""
    return [" ".join(found.split()) for found in re.findall(r"``([^`]+)``", text(page))]
