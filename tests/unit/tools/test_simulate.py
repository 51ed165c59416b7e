"""The scheduler asked about a cloud in a text file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import simulate

_CLOUD = """
[[aggregates]]
hosts = ["b-[09-10]"]
metadata = { availability_zone = "east" }

[[hosts]]
name = "a-[1-2]"
vcpus = 4
ram_mb = 8192
disk_gb = 100
cpu_ratio = 1.0

[[hosts]]
name = "b-[09-10]"
vcpus = 4
ram_mb = 4096
disk_gb = 100

[[requests]]
name = "pair"
count = 2
flavor = { vcpus = 1, ram_mb = 1024 }
group = { policy = "anti-affinity" }
zone = "east"

[[requests]]
name = "large"
flavor = { vcpus = 4, ram_mb = 6000, root_gb = 10 }
"""

_TOO_MUCH = """
[[requests]]
name = "huge"
flavor = { vcpus = 5, ram_mb = 10 }
"""


def _write(folder: Path, text: str) -> str:
    path = folder / "cloud.toml"
    path.write_text(text)
    return str(path)


def test_ranges_keep_their_zeros() -> None:
    assert list(simulate.expand("r[1-2]-n[09-10]")) == ["r1-n09", "r1-n10", "r2-n09", "r2-n10"]
    assert list(simulate.expand("alone")) == ["alone"]


def test_tells_where_servers_would_go(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate.main([_write(tmp_path, _CLOUD)]) == 0
    pair, large = capsys.readouterr().out.splitlines()
    assert sorted(pair.removeprefix("pair: ").split(", ")) == ["b-09", "b-10"]
    assert large in ("large: a-1", "large: a-2")


def test_explains(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate.main(["--explain", _write(tmp_path, _CLOUD)]) == 0
    out = capsys.readouterr().out
    assert "AvailabilityZoneFilter               4 -> 2" in out
    assert "was chosen out of 4 hosts" in out


def test_no_place_is_an_exit_code_and_a_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate.main([_write(tmp_path, _CLOUD + _TOO_MUCH)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2] == "huge: no valid host"
    assert "the largest of them has 4 vCPUs in all, 5 were asked" in lines[-1]


def test_options_come_from_a_configuration_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "nova.conf").write_text(
        "[filter_scheduler]\nenabled_filters = IsolatedHostsFilter\nisolated_hosts = a-1\n"
    )
    arguments = ["--json", "--config-file", str(tmp_path / "nova.conf"), _write(tmp_path, _CLOUD)]
    assert simulate.main(arguments) == 0
    decisions = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [choice["host"] for choice in decisions[1]["choices"]] == ["a-2"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[hosts", "TOML"),
        ("[[hosts]]\nvcpus = 1", "name"),
        ('[[hosts]]\nname = "a"\nvcpu = 1', "a host has no vcpu"),
        ('[[hosts]]\nname = "a"\nvcpus = "many"', "vcpus"),
        ("[[requests]]\ncount = 1", "flavor"),
        ("[[requests]]\nhint = 1\nflavor = {}", "a request has no hint"),
    ],
)
def test_what_is_wrong_is_said(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert simulate.main([_write(tmp_path, text)]) == 2
    assert said in capsys.readouterr().err
