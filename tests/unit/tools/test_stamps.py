from __future__ import annotations

from pathlib import Path

from nova_tools.stamps import Stamps, fingerprint


def test_a_stamp_holds_for_the_same_inputs_only(tmp_path: Path) -> None:
    stamps = Stamps(tmp_path / "stamps")
    assert not stamps.holds("venv", "a")
    stamps.put("venv", "a")
    assert stamps.holds("venv", "a")
    assert not stamps.holds("venv", "b")
    stamps.remove("venv")
    stamps.remove("venv")
    assert not stamps.holds("venv", "a")


def test_a_fingerprint_of_a_path_is_that_of_its_content(tmp_path: Path) -> None:
    path = tmp_path / "setup.cfg"
    path.write_text("one")
    before = fingerprint("x", path)
    assert fingerprint("x", path) == before
    path.write_text("two")
    assert fingerprint("x", path) != before


def test_inputs_do_not_run_together() -> None:
    assert fingerprint("ab", "c") != fingerprint("a", "bc")
