#!/usr/bin/env python3
"""Writes the pages of ``doc/source/generated`` from the tables that the programs themselves read.

Usage: tools/docs.py [--check]

With ``--check`` nothing is written: it ends with 1 if a page is not as it should be.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from nova import conf  # noqa: E402
from nova.api.compute import versions  # noqa: E402
from nova.lifecycle.actions import ACTIONS, ANY_TASK, ANY_VM, Action  # noqa: E402
from nova.objects.states import Capability, Task  # noqa: E402
from nova.virt.fake import driver as fake_driver  # noqa: E402
from nova.virt.libvirt import driver as libvirt_driver  # noqa: E402

FOLDER = Path("doc/source/generated")

_MORE_THAN_HALF = len(Task) // 2


def pages() -> dict[str, str]:
    """Return the texts of the generated pages by file name."""
    return {
        "actions.rst": actions_page(),
        "options.rst": options_page(),
        "microversions.rst": microversions_page(),
        "capabilities.rst": capabilities_page(),
    }


def stale(root: Path = ROOT) -> list[str]:
    """Return the names of the pages that are not as they should be."""
    found = []
    for name, text in pages().items():
        path = root / FOLDER / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            found.append(name)
    return found


def actions_page() -> str:
    """Tell of every action when it may be asked for and where it leads."""
    lines = _head(
        "Actions of servers",
        "nova/lifecycle/actions.py",
        "When an action may be asked for, what a server shows meanwhile, and where it ends. A request at "
        "another time is answered 409. What comes after a failure is said with each.",
    )
    for row in ACTIONS.values():
        lines += [*_title(row.name, "-"), *_fields(_action_fields(row)), ""]
    return _joined(lines)


def _action_fields(row: Action) -> list[tuple[str, str]]:
    return [
        ("Allowed in vm_state", "any" if row.vm == ANY_VM else _words(str(v) for v in row.vm)),
        ("Allowed in task_state", _tasks(row.task)),
        ("Meanwhile", f"task_state ``{row.while_}``" if row.while_ else "nothing is shown"),
        ("Afterwards", f"vm_state ``{row.done}``" if row.done else "the vm_state before"),
        ("After a failure", "``error``" if row.error_on_failure else "the vm_state before"),
        ("Workflow", f"``{row.workflow}``" if row.workflow else "none: settled within the request"),
        ("The driver needs", f"``{row.needs}``" if row.needs else "no capability beyond the musts"),
        ("The server needs", _needs(row)),
        ("A lock stops it", "yes, for callers that are not administrators" if row.lockable else "no"),
        ("Recorded as", f"``{row.record}``, event ``{row.event}``" if row.record else "not recorded"),
        *([("Deadline of a step", f"{row.deadline_s:g} s")] if row.workflow else []),
        *([("Beats", "whatever runs")] if row.beats_all else []),
    ]


def _needs(row: Action) -> str:
    needs = ["a host"] if row.needs_host else []
    needs += ["to have run once"] if row.needs_launched else []
    return " and ".join(needs) or "nothing"


def _tasks(tasks: frozenset[Task | None]) -> str:
    if tasks == ANY_TASK:
        return "any"
    if len(tasks) > _MORE_THAN_HALF:
        return "any but " + _words(str(t or "none") for t in ANY_TASK - tasks)
    return _words(str(t or "none") for t in tasks)


def options_page() -> str:
    """List every option by group, with type, default and meaning."""
    lines = _head(
        "Options",
        "nova/conf/",
        "Every option of the programs. Those of logging are declared by oslo.log, those of the bus by "
        "oslo.messaging, those of identity by keystoneauth and keystonemiddleware; see their manuals.",
    )
    for group, options in conf.declared().in_order():
        lines += _title(f"[{group}]", "-")
        for option in options:
            lines += _option(str(option.dest), option)
        lines.append("")
    return _joined(lines)


def _option(dest: str, opt: Any) -> list[str]:
    default = opt.sample_default if opt.sample_default is not None else opt.default
    shown = "none" if default is None or default in ("", [], {}) else f"``{default}``"
    head = f"``{dest}`` ({type(opt).__name__.removesuffix('Opt').lower()}, default {shown})"
    words = opt.help or ""
    old = [f"{d.group or 'the same group'}/{d.name or dest}" for d in opt.deprecated_opts]
    if old:
        words = f"{words} Old name: {_words(old)}."
    wrapped = textwrap.wrap(words, 104, break_long_words=False, break_on_hyphens=False)
    return [head, *(f"    {line}" for line in wrapped), ""]


def microversions_page() -> str:
    """List the released microversions with what each brought."""
    history = versions.history()
    lines = _head(
        "Microversions",
        "nova/api/compute/versions/",
        f"The Compute API speaks {history.oldest} to {history.newest}. What a version brought to requests "
        "and answers is told here whether or not this release carries out the operation already.",
    )
    for change in history.changes:
        lines += [f"``{change.version}``", f"    {change.summary}"]
        if change.adds_operations:
            lines.append(f"    New: {_words(change.adds_operations)}.")
        if change.ends_operations:
            lines.append(f"    Ended: {_words(change.ends_operations)}.")
        lines.append("")
    return _joined(lines)


def capabilities_page() -> str:
    """Show which driver declares which capability."""
    # What the classes declare; the libvirt driver has VNC unless the operator turns it off.
    declared = {
        "libvirt": libvirt_driver._CAPABILITIES | {Capability.VNC},
        "fake": fake_driver._CAPABILITIES,
    }
    wide = max(len(c) for c in Capability) + 4
    rule = "  ".join(("=" * wide, *("=" * 7 for _ in declared)))
    lines = _head(
        "Capabilities of drivers",
        "nova/virt/",
        "What a driver can do beyond bringing guests up and down. An action that needs what a host's driver "
        "does not have is refused. The libvirt driver has ``vnc`` unless ``[vnc] enabled`` is off.",
    )
    lines += [rule, "  ".join(("capability".ljust(wide), *(n.ljust(7) for n in declared))).rstrip(), rule]
    for capability in Capability:
        cells = [("yes" if capability in has else "no").ljust(7) for has in declared.values()]
        lines.append("  ".join((f"``{capability}``".ljust(wide), *cells)).rstrip())
    return _joined([*lines, rule])


def _head(title: str, source: str, words: str) -> list[str]:
    note = f".. Written by tools/docs.py from {source}; edit that, not this."
    return [note, "", *_title(title, "="), "", *textwrap.wrap(words, 108), ""]


def _title(words: str, mark: str) -> list[str]:
    return [words, mark * len(words)]


def _fields(pairs: Iterable[tuple[str, str]]) -> list[str]:
    lines = []
    for name, value in pairs:
        lines += textwrap.wrap(f":{name}: {value}", 108, subsequent_indent="    ", break_on_hyphens=False)
    return lines


def _words(words: Iterable[str]) -> str:
    return ", ".join(f"``{word}``" for word in sorted(words))


def _joined(lines: Iterable[str]) -> str:
    return "\n".join(lines).rstrip() + "\n"


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, only look")
    if parser.parse_args(argv).check:
        names = stale()
        for name in names:
            print(f"{FOLDER / name} is not up to date: run tools/docs.py", file=sys.stderr)
        return 1 if names else 0
    (ROOT / FOLDER).mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (ROOT / FOLDER / name).write_text(text, encoding="utf-8")
        print(FOLDER / name)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
