"""Guests' directories, console logs, counters."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nova.objects.ids import InstanceId
from nova.objects.network import FilterRule, GuestFilter
from nova.objects.states import Power
from nova.virt.libvirt.console import read_log, trim_log, vnc_port
from nova.virt.libvirt.diagnostics import diagnostics
from nova.virt.libvirt.plan import LocalDisk
from nova.virt.libvirt.store import Store
from tests.support.guests import a_vif, an_id

DISK = LocalDisk(file="disk", format="qcow2", virtual_bytes=7, target="vda", bus="virtio")


@pytest.mark.parametrize("word", ["", "..", "../x", "/etc", "a/b", "10000000-0000-4000-A000-000000000001"])
def test_only_ids_become_paths(tmp_path: Path, word: str) -> None:
    with pytest.raises(ValueError, match="not an instance id"):
        Store(tmp_path).directory(InstanceId(word))


def test_what_is_written_down_is_found_again(tmp_path: Path) -> None:
    store = Store(tmp_path / "instances")
    store.open()
    store.create(an_id(1))
    assert store.disks(an_id(1)) is None
    store.write_disks(an_id(1), (DISK,))
    guarded = GuestFilter(instance_id=an_id(1), vifs=(a_vif(1),), rules=(FilterRule(protocol="tcp"),))
    store.write_filter(guarded)
    again = Store(tmp_path / "instances")
    assert again.disks(an_id(1)) == (DISK,)
    assert again.filters() == {an_id(1): guarded}
    again.remove(an_id(1))
    again.remove(an_id(1))
    assert list(again.instances()) == [] and again.filters() == {}


def test_opening_ends_what_a_crash_left_half_removed(tmp_path: Path) -> None:
    (tmp_path / f"{an_id(1)}_del").mkdir()
    (tmp_path / "_base").mkdir()
    Store(tmp_path).open()
    assert [path.name for path in tmp_path.iterdir()] == ["_base"]


def test_log_reading_is_bounded_whatever_the_guest_wrote(tmp_path: Path) -> None:
    (tmp_path / "console.log").write_bytes(b"\xff\x00\r\n" * 100_000 + b"last\n")
    assert len(read_log(tmp_path, None, 1000)) == 1000
    assert read_log(tmp_path, 1, 1000) == b"last\n"
    assert read_log(tmp_path, 0, 1000) == b""


def test_a_long_log_is_cut_while_its_writer_appends(tmp_path: Path) -> None:
    with (tmp_path / "console.log").open("ab", buffering=0) as guest:
        guest.write(b"".join(b"line %d\n" % n for n in range(2000)))
        assert trim_log(tmp_path, 4096) and not trim_log(tmp_path, 4096)
        guest.write(b"after\n")
    assert (tmp_path / "console.log").stat().st_size == 6, "no hole where the old text was"
    assert read_log(tmp_path, 2, 100_000) == b"line 1999\nafter\n"
    assert (tmp_path / "console.log.1").stat().st_size == 4096


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=300), lines=st.none() | st.integers(-1, 9), limit=st.integers(1, 300))
def test_log_reading_never_exceeds_its_limits(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, lines: int | None, limit: int
) -> None:
    directory = tmp_path_factory.mktemp("log")
    (directory / "console.log").write_bytes(data)
    found = read_log(directory, lines, limit)
    assert len(found) <= limit and data.endswith(found)
    assert lines is None or len(found.splitlines()) <= max(lines, 0)


def test_vnc_port() -> None:
    domain = "<domain><devices><graphics type='vnc' port='{}'/></devices></domain>"
    assert vnc_port(domain.format(5901)) == 5901
    assert vnc_port(domain.format(-1)) is None
    assert vnc_port("<domain/>") is None


def test_counters() -> None:
    stats = {
        "balloon.maximum": 131072, "balloon.current": 65536, "vcpu.current": 1, "vcpu.0.time": 5,
        "net.count": 1, "net.0.name": "tap1", "net.0.rx.bytes": 9, "net.0.tx.pkts": 2, "net.0.tx.errs": 1,
        "block.count": 1, "block.0.rd.bytes": 3, "block.0.rd.reqs": 1, "block.0.wr.bytes": 4,
    }  # fmt: skip
    found = diagnostics(
        stats, Power.PAUSED, {"tap1": "fa:16:3e:00:00:01"}, virt_type="qemu", config_drive=True
    )
    assert found.state == "paused" and found.config_drive
    assert found.memory == {"maximum": 128, "used": 64}
    assert found.cpus == ({"id": 0, "time": 5, "utilisation": None},)
    assert found.nics[0]["mac_address"] == "fa:16:3e:00:00:01"
    assert (found.nics[0]["rx_octets"], found.nics[0]["tx_packets"], found.nics[0]["tx_errors"]) == (9, 2, 1)
    assert found.disks[0] == {
        "read_bytes": 3, "read_requests": 1, "write_bytes": 4, "write_requests": None, "errors_count": None,
    }  # fmt: skip
    assert diagnostics({}, Power.SHUTDOWN, {}, virt_type="qemu", config_drive=False).state == "shutdown"
