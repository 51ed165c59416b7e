"""No option is registered that nobody reads: it would promise what does not happen."""

from __future__ import annotations

import re

from nova import conf
from nova_tools.places import CHECKOUT


def test_every_option_is_read_by_somebody() -> None:
    reading = [path for path in (CHECKOUT / "nova").rglob("*.py") if path.parent.name != "conf"]
    subjects = list((CHECKOUT / "nova/conf").glob("*.py"))
    source = "\n".join(path.read_text() for path in reading)
    # Subjects name each option where they register it, as a text, and read it as an attribute.
    attributes = set(re.findall(r"\.(\w+)\b", source + "\n".join(path.read_text() for path in subjects)))
    names = set(re.findall(r"[\"'](\w+)[\"']", source))
    unread = [
        f"[{group}] {option.dest}"
        for group, options in conf.declared().in_order()
        for option in options
        if option.dest not in attributes | names
    ]
    assert unread == []
