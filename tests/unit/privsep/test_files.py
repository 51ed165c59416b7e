"""Guests' files: whole or not at all, closed to others, links never followed."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from nova.privsep import files


def test_whole_replacement(tmp_path: Path) -> None:
    target = tmp_path / "f"
    files.write_whole(target, b"old")
    files.write_whole(target, b"new")
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_a_failed_write_leaves_the_old_content(tmp_path: Path) -> None:
    target = tmp_path / "f"
    files.write_whole(target, b"old")
    with pytest.raises(TypeError):
        files.write_whole(target, "text")  # type: ignore[arg-type]
    assert target.read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 1


def test_move_closes_the_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    files.move(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"x" and not (tmp_path / "a").exists()
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o600


def test_remove_tree_does_not_follow_links_and_may_be_repeated(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "precious").touch()
    guest = tmp_path / "guest"
    guest.mkdir()
    (guest / "link").symlink_to(tmp_path / "other")
    files.remove_tree(guest)
    files.remove_tree(guest)
    assert [path.name for path in tmp_path.iterdir()] == ["other"]
    assert (tmp_path / "other" / "precious").exists()


def test_remove_tree_finishes_what_was_cut_short(tmp_path: Path) -> None:
    (tmp_path / "guest_del").mkdir()
    (tmp_path / "guest_del" / "disk").touch()
    (tmp_path / "guest").mkdir()
    files.remove_tree(tmp_path / "guest")
    assert list(tmp_path.iterdir()) == []


def test_tail_is_bounded_and_reads_plain_files_only(tmp_path: Path) -> None:
    log = tmp_path / "console.log"
    assert files.tail(log, 10) == b""
    log.write_bytes(b"0123456789abc")
    assert files.tail(log, 3) == b"abc" and files.tail(log, 100) == b"0123456789abc"
    (tmp_path / "link").symlink_to(log)
    assert files.tail(tmp_path / "link", 3) == b""


def test_move_over_file_systems_is_whole_and_leaves_nothing_on_failure(
    tmp_path: Path,
) -> None:
    other = Path("/dev/shm") / f"nova-test-{tmp_path.name}-{id(tmp_path)}"
    other.write_bytes(b"x" * 100_000)
    try:
        assert other.stat().st_dev != tmp_path.stat().st_dev
        files.move(other, tmp_path / "here")
        assert (tmp_path / "here").stat().st_size == 100_000 and not other.exists()
        with pytest.raises(FileNotFoundError):
            files.move(other, tmp_path / "there")
    finally:
        other.unlink(missing_ok=True)
    assert [path.name for path in tmp_path.iterdir()] == ["here"]
