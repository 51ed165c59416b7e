"""The generated pages say what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import docs
from nova.api.compute import versions
from nova.lifecycle.actions import ACTIONS
from nova.objects.states import Capability

_TOP_FOLDERS = ("alembic", "changelog", "doc", "etc", "nova", "tests", "tools")


def test_the_pages_are_up_to_date() -> None:
    assert docs.stale() == [], "run tools/docs.py"


def test_pages_that_are_missing_or_old_are_named(tmp_path: Path) -> None:
    assert docs.stale(tmp_path) == ["actions.rst", "options.rst", "microversions.rst", "capabilities.rst"]
    (tmp_path / docs.FOLDER).mkdir(parents=True)
    for name, text in docs.pages().items():
        (tmp_path / docs.FOLDER / name).write_text(text)
    assert docs.stale(tmp_path) == []
    (tmp_path / docs.FOLDER / "options.rst").write_text("Options\n=======\n")
    assert docs.stale(tmp_path) == ["options.rst"]


def test_nothing_is_left_out() -> None:
    actions = docs.actions_page()
    assert all(f"\n{name}\n" in actions for name in ACTIONS)
    microversions = docs.microversions_page()
    assert all(f"\n``{change.version}``\n" in microversions for change in versions.changes())
    capabilities = docs.capabilities_page()
    assert all(f"\n``{capability}``" in capabilities for capability in Capability)


def test_options_of_every_kind_of_subject_are_there() -> None:
    page = docs.options_page()
    for name in ("shutdown_timeout", "lease", "max_concurrent_builds", "enabled_filters"):
        assert f"\n``{name}`` (" in page, name


def test_a_task_state_list_is_told_the_short_way() -> None:
    assert "any but ``deleting``, ``migrating``" in docs.actions_page()
    assert ":Allowed in task_state: ``none``\n" in docs.actions_page()


def test_files_that_people_are_sent_to_are_there() -> None:
    pages = [docs.ROOT / "README.rst", docs.ROOT / "CONTRIBUTING.rst", *docs.ROOT.glob("doc/source/*.rst")]
    assert len(pages) > 6
    gone = [
        f"{page.name}: {path}"
        for page in pages
        for path in re.findall(r"``(?:\./)?([\w./-]+/[\w./-]*)``", page.read_text(encoding="utf-8"))
        if path.split("/")[0] in _TOP_FOLDERS and "NNN" not in path and not (docs.ROOT / path).exists()
    ]
    assert gone == []


def test_pages_tell_the_newest_microversion() -> None:
    for page in ("README.rst", "doc/source/user.rst"):
        assert f"2.1 to {versions.history().newest}" in (docs.ROOT / page).read_text(encoding="utf-8"), page


def test_links_between_pages_lead_somewhere() -> None:
    for page in docs.ROOT.glob("doc/source/*.rst"):
        for target in re.findall(r"<([\w./]+\.rst)>`__", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
