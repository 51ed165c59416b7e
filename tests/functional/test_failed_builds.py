"""What users and operators are told of servers that no host could build."""

from __future__ import annotations

import json
import pathlib

import pytest

from tests.support.cloud import running_cloud

BROKEN = [{"method": "spawn", "fault": "fail", "error": "BuildFailed"}]


@pytest.mark.parametrize(
    ("hosts", "words"),
    [
        (1, "RetryFilter removed 1 (they were tried before). The last one tried could not build the server:"),
        (4, "All hosts that were tried (3) failed to build the server; the last one says:"),
    ],
    ids=["none is left", "tried often enough"],
)
def test_the_fault_says_what_the_host_said(tmp_path: pathlib.Path, hosts: int, words: str) -> None:
    script = tmp_path / "script.json"
    script.write_text(json.dumps(BROKEN))
    with running_cloud(tmp_path / "cloud", hosts=hosts, extra=f"[fake]\nscript = {script}\n") as bench:
        made = bench.demo.boot(bench.image, networks="none")
        bench.demo.wait(made, "ERROR")
        told = bench.demo.server(made)["fault"]["message"]
        assert told.startswith("No valid host was found. ") and words in told
        names = {
            row["hypervisor_hostname"]
            for row in bench.admin.ask("GET", "/os-hypervisors").body["hypervisors"]
        }
        assert len(names) == hosts and not any(f"host {name}" in told for name in names), (
            "users are not told names"
        )
        path = f"/servers/{made}/os-instance-actions"
        (action,) = bench.demo.ask("GET", path).body["instanceActions"]
        shown = bench.admin.ask("GET", f"{path}/{action['request_id']}").body["instanceAction"]
        failed = [
            event for event in shown["events"] if event["event"] == "compute__do_build_and_run_instance"
        ]
        assert {event["host"] for event in failed} <= names and len(failed) == min(hosts, 3)
        assert all(told.endswith(event["details"].rpartition(": ")[2]) for event in failed), (told, failed)
