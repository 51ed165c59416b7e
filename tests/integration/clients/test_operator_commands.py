"""Flavors, key pairs, quotas, hosts and groups through the stock command lines, against fake hosts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import netns
from tests.support.clients import Clients
from tests.support.microversions import NEWEST

pytestmark = [
    pytest.mark.skipif(not netns.CAN_MAKE, reason="network namespaces need root"),
    pytest.mark.timeout(1500),
]

PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5MBGyFXAi2CP9jWjbB1mKCgE3cEYzMjBDEcYzfLRCa me@home"


def test_flavors_their_specs_and_who_may_use_them(cli: Clients) -> None:
    cli(
        "openstack flavor create --ram 64 --disk 1 --vcpus 1 --private --property hw:cpu_policy=shared"
        " --description gold gold", "admin",
    )  # fmt: skip
    assert "gold" not in cli("openstack flavor list")
    cli("openstack flavor set --project demo --property quota:cpu_shares=10 gold", "admin")
    shown = cli.json("openstack flavor show gold")
    assert shown["ram"] == 64 and shown["description"] == "gold"
    assert cli.json("openstack flavor show gold", "admin")["properties"] == {
        "hw:cpu_policy": "shared", "quota:cpu_shares": "10",
    }  # fmt: skip
    cli("openstack flavor unset --project demo --property quota:cpu_shares gold", "admin")
    assert "gold" not in cli("nova flavor-list")
    demo = cli.json("openstack project show demo", "admin")["id"]
    cli(f"nova flavor-access-add gold {demo}", "admin")
    assert demo in cli("nova flavor-access-list --flavor gold", "admin")
    assert "gold" in cli("nova flavor-list")
    cli(f"nova flavor-access-remove gold {demo}", "admin")
    cli("nova flavor-key gold set a=b", "admin")
    assert "'a': 'b'" in cli("nova flavor-list --extra-specs --all", "admin").replace('"', "'")
    cli("nova flavor-key gold unset a", "admin")
    cli("nova flavor-update gold silver", "admin")
    assert "silver" in cli("nova flavor-show gold", "admin")
    assert "403" in cli.refused("nova flavor-create x auto 1 1 1")
    cli("openstack flavor delete gold", "admin")


def test_key_pairs(cli: Clients, tmp_path: Path) -> None:
    (tmp_path / "key.pub").write_text(PUBLIC)
    cli(f"nova keypair-add --pub-key {tmp_path}/key.pub one")
    private = cli("openstack keypair create two")
    assert "PRIVATE KEY" in private
    names = {row["Name"] for row in cli.json("openstack keypair list")}
    assert {"one", "two"} <= names and "one" in cli("nova keypair-list")
    assert cli("openstack keypair show --public-key one").split()[:2] == PUBLIC.split()[:2]
    assert "ssh" in cli("nova keypair-show two")
    assert "one" not in cli("nova keypair-list", "alt_demo")
    cli("nova keypair-delete one")
    cli("openstack keypair delete two")


def test_quotas_limits_and_usage(cli: Clients) -> None:
    assert {row["Name"]: row["Value"] for row in cli.json("openstack limits show --absolute")}[
        "max_total_instances"
    ] == 100
    assert "Cores" in cli("nova limits")
    project = cli.json("openstack project show alt_demo", "admin")["id"]
    cli("openstack quota set --instances 3 --ram 4096 alt_demo", "admin")
    shown = {row["Resource"]: row["Limit"] for row in cli.json("openstack quota show alt_demo", "admin")}
    assert (shown["instances"], shown["ram"]) == (3, 4096)
    cli(f"nova quota-update --instances 4 --cores 9 {project}", "admin")
    assert "| instances            | 4" in cli(f"nova quota-show --tenant {project}", "admin")
    detail = cli.json("openstack quota show --usage alt_demo", "admin")
    assert next(row for row in detail if row["Resource"] == "instances")["In Use"] == 0
    assert "cores" in cli("nova quota-defaults", "admin")
    cli(f"nova quota-delete --tenant {project}", "admin")
    assert "| instances            | 10" in cli(f"nova quota-show --tenant {project}", "admin")
    assert "403" in cli.refused(f"nova quota-update --instances 5 {project}")


def hosts(cli: Clients) -> list[str]:
    return [row["Hypervisor Hostname"] for row in cli.json("openstack hypervisor list", "admin")]


def test_hypervisors_and_services(cli: Clients) -> None:
    names = hosts(cli)
    assert len(names) == 3
    shown = cli.json(f"openstack hypervisor show {names[0]}", "admin")
    assert shown["hypervisor_type"] == "fake" and shown["state"] == "up" and shown["status"] == "enabled"
    assert cli.json("openstack hypervisor stats show", "admin")["count"] == 3
    assert names[1] in cli("nova hypervisor-list", "admin")
    assert "up" in cli(f"nova hypervisor-uptime {shown['id']}", "admin")
    assert names[0] in cli(f"nova hypervisor-show {shown['id']}", "admin")
    services = cli.json("openstack compute service list", "admin")
    assert {row["Binary"] for row in services} >= {"nova-compute", "nova-conductor", "nova-scheduler"}
    cli(f"openstack compute service set --disable --disable-reason tired {names[0]} nova-compute", "admin")
    long = cli.json("openstack compute service list --long --service nova-compute", "admin")
    row = next(row for row in long if row["Host"] == names[0])
    assert (row["Status"], row["Disabled Reason"]) == ("disabled", "tired")
    cli(f"nova service-enable {row['ID']}", "admin")
    cli(f"nova service-disable --reason again {row['ID']}", "admin")
    assert "again" in cli("nova service-list --binary nova-compute", "admin")
    cli(f"openstack compute service set --enable {names[0]} nova-compute", "admin")
    cli(f"nova service-force-down {row['ID']}", "admin")
    cli(f"nova service-force-down --unset {row['ID']}", "admin")
    assert "403" in cli.refused("openstack compute service list")


def test_zones_are_aggregates_with_a_name(cli: Clients) -> None:
    host = hosts(cli)[2]
    cli("openstack aggregate create --zone east --property ssd=true racks", "admin")
    cli(f"openstack aggregate add host racks {host}", "admin")
    shown = cli.json("openstack aggregate show racks", "admin")
    assert (shown["availability_zone"], shown["hosts"], shown["properties"]["ssd"]) == (
        "east",
        [host],
        "true",
    )
    zones = {row["Zone Name"] for row in cli.json("openstack availability zone list --compute")}
    assert zones == {"nova", "east"}
    assert host in cli("nova availability-zone-list", "admin")
    made = cli.json(
        "openstack server create --image tiny --flavor m1.nano --nic none --availability-zone east"
        " --wait there"
    )
    assert made["OS-EXT-AZ:availability_zone"] == "east"
    cli("openstack server delete --wait there")
    cli("nova aggregate-set-metadata racks fast=yes ssd", "admin")
    cli("nova aggregate-update --name shelves racks", "admin")
    assert "fast=yes" in cli("nova aggregate-show shelves", "admin")
    assert "shelves" in cli("nova aggregate-list", "admin")
    cli(f"nova aggregate-remove-host shelves {host}", "admin")
    cli("openstack aggregate delete shelves", "admin")


def test_server_groups_keep_servers_apart(cli: Clients) -> None:
    group = cli.json(
        "openstack server group create --policy anti-affinity --rule max_server_per_host=1 apart"
    )
    for number in (1, 2):
        cli(
            "openstack server create --image tiny --flavor m1.nano --nic none"
            f" --server-group {group['id']} --wait apart-{number}"
        )
    cli(f"nova boot --image tiny --flavor m1.nano --nic none --hint group={group['id']} --poll apart-3")
    assert len(cli.json(f"openstack server group show {group['id']}")["members"]) == 3
    places = cli.json("openstack server list --all-projects --name ^apart- --long", "admin")
    assert len({row["Host"] for row in places}) == 3
    said = cli.refused(
        "openstack server create --image tiny --flavor m1.nano --nic none"
        f" --server-group {group['id']} --wait apart-4"
    )
    assert "ERROR" in said or "rror" in said
    fault = cli.json("openstack server show apart-4")["fault"]
    assert "No valid host" in fault["message"]
    cli("openstack server delete --wait apart-1 apart-2 apart-3 apart-4")
    assert "apart" in cli("nova server-group-list") and "apart" in cli(f"nova server-group-get {group['id']}")
    cli(f"nova server-group-delete {group['id']}")
    cli("nova server-group-create together affinity")
    together = cli.json("openstack server group list")[0]["ID"]
    cli(f"openstack server group delete {together}")


def test_images_and_versions(cli: Clients) -> None:
    assert "tiny" in cli("openstack image list")
    said = cli("nova version-list")
    assert NEWEST in said
    assert NEWEST in cli("openstack versions show --service compute")
