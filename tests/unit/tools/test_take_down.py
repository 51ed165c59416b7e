"""Taking a cloud away again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from nova_tools.cloud.take_down import end_dhcp_servers, is_ours
from tests.support import netns


def test_a_bridge_with_addresses_of_another_cloud_is_left_alone() -> None:
    assert is_ours(["10.20.0.1"], "10.20.0.0/24")
    assert is_ours([], "10.20.0.0/24"), "nobody's, or not there"
    assert not is_ours(["10.77.0.1"], "10.20.0.0/24")
    assert not is_ours(["10.20.0.1", "10.77.0.1"], "10.20.0.0/24")


@pytest.mark.skipif(not netns.CAN_MAKE, reason="network namespaces need root")
@pytest.mark.skipif(shutil.which("dnsmasq") is None, reason="dnsmasq is not installed")
def test_dhcp_servers_are_ended_whatever_became_of_their_pid_files(tmp_path: Path) -> None:
    with netns.namespace("down") as space:
        for name in ("ours/nova/networks/one", "ours-too/networks/one"):
            folder = tmp_path / name
            folder.mkdir(parents=True)
            (folder / "hook").write_text("#!/bin/sh\n")
            (folder / "hook").chmod(0o755)
            # Another user than root and a hook: dnsmasq then forks a helper that stays root.
            (folder / "dnsmasq.conf").write_text(
                f"port=0\nno-resolv\nuser=nobody\ninterface=lo\nbind-interfaces\npid-file={folder}/pid\n"
                f"dhcp-range=127.0.0.2,static\nleasefile-ro\ndhcp-script={folder}/hook\n"
            )
            space.run("dnsmasq", f"--conf-file={folder}/dnsmasq.conf")
            (folder / "pid").unlink()
        assert end_dhcp_servers(tmp_path / "ours") == 2
        assert end_dhcp_servers(tmp_path / "ours") == 0
        assert end_dhcp_servers(tmp_path / "ours-too") == 2
