"""What an administrator's program does with openstacksdk; see ``sdk_scenarios.py``."""

from __future__ import annotations

import datetime

from openstack import exceptions
from sdk_tools import LETTERS, STEM, boot, drop, names, refused


def filters_of_administrators(conn, nova, project):
    """Administrators ask in all projects, for hosts, for ids and for what is gone."""
    del nova
    rows = list(conn.compute.servers(all_projects=True, name=f"^{STEM}"))
    assert names(rows) == LETTERS
    by_letter = {row.name.removeprefix(STEM): row for row in rows}
    b = by_letter["b"]
    where = {"all_projects": True, "name": f"^{STEM}"}
    on_host = "".join(sorted(k for k, row in by_letter.items() if row.compute_host == b.compute_host))
    for words, wanted in (
        ({"compute_host": b.compute_host}, on_host),
        ({"node": b.hypervisor_hostname}, on_host),
        ({"project_id": project}, LETTERS),
        ({"project_id": "0" * 32}, ""),
        ({"id": b.id}, "b"),
        ({"hostname": "sdk-own"}, "b"),
        ({"description": "^first"}, "a"),
        ({"access_ipv4": "192.0.2.1"}, "a"),
        ({"access_ipv6": "2001:db8::1"}, "d"),
        ({"deleted_only": True}, ""),
        ({"launch_index": 0}, LETTERS),
    ):
        found = names(conn.compute.servers(**(where | words)))
        assert found == wanted, (words, found)
    for direction in ("asc", "desc"):
        page = list(conn.compute.servers(sort_key="host", sort_dir=direction, **where))
        hosts = [server.compute_host for server in page]
        assert hosts == sorted(hosts, reverse=direction == "desc")


def place(conn, nova):
    """Administrators name zones, hosts and nodes; a place that is not there is refused with a sentence."""
    del nova
    node = sorted(one.name for one in conn.compute.hypervisors())[-1]
    for words in (
        {"availability_zone": f"nova:{node}"},
        {"availability_zone": f"nova:{node}:{node}"},
        {"availability_zone": f"nova::{node}"},
        {"host": node},
        {"hypervisor_hostname": node},
    ):
        made = boot(conn, **words)
        assert made.compute_host == node and made.hypervisor_hostname == node, words
        drop(conn, made)
    for words in (
        {"availability_zone": "nova:nowhere"},
        {"availability_zone": f"nova:{node}:nowhere"},
        {"availability_zone": "nova::nowhere"},
        {"host": "nowhere"},
        {"hypervisor_hostname": "nowhere"},
    ):
        refused(
            exceptions.BadRequestException,
            lambda words=words: boot(conn, **words),
            "Compute host nowhere could not be found",
        )
    refused(exceptions.BadRequestException, lambda: boot(conn, availability_zone="moon"), "zone")


def flavors(conn, nova, project):
    """An administrator's flavors: extra specs, access, and what cannot be done twice."""
    del nova
    made = conn.compute.create_flavor(
        name="sdk-flavor", ram=256, vcpus=1, disk=1, ephemeral=1, swap=64, is_public=False, id="sdk-flavor"
    )
    assert (made.ram, made.swap, made.ephemeral, made.is_public) == (256, 64, 1, False)
    conn.compute.create_flavor_extra_specs(made, {"hw:cpu_policy": "shared"})
    conn.compute.update_flavor_extra_specs_property(made, "hw:cpu_policy", "dedicated")
    assert conn.compute.fetch_flavor_extra_specs(made).extra_specs == {"hw:cpu_policy": "dedicated"}
    assert conn.compute.get_flavor_extra_specs_property(made, "hw:cpu_policy") == "dedicated"
    conn.compute.delete_flavor_extra_specs_property(made, "hw:cpu_policy")
    conn.compute.flavor_add_tenant_access(made, project)
    assert [row["tenant_id"] for row in conn.compute.get_flavor_access(made)] == [project]
    conn.compute.flavor_remove_tenant_access(made, project)
    assert list(conn.compute.get_flavor_access(made)) == []
    assert conn.compute.update_flavor("sdk-flavor", description="new").description == "new"
    assert conn.compute.find_flavor("sdk-flavor", get_extra_specs=True).extra_specs == {}
    assert "sdk-flavor" in [one.name for one in conn.compute.flavors(is_public="None")]
    assert [one.vcpus for one in conn.compute.flavors(min_ram=1 << 20)] == []
    refused(
        exceptions.ConflictException,
        lambda: conn.compute.create_flavor(name="sdk-flavor", ram=256, vcpus=1, disk=1),
        "sdk-flavor",
    )
    conn.compute.delete_flavor(made)
    refused(exceptions.NotFoundException, lambda: conn.compute.get_flavor("sdk-flavor"), "sdk-flavor")


def quotas_and_limits(conn, nova, project):
    """An administrator sets quotas; limits and usage tell of them."""
    del nova
    before = conn.compute.get_quota_set(project)
    conn.compute.update_quota_set(project, instances=7, force=True)
    assert conn.compute.get_quota_set(project).instances == 7
    detail = conn.compute.get_quota_set(project, usage=True)
    assert detail.usage["instances"] >= 0
    assert conn.compute.get_limits().absolute.instances is not None
    conn.compute.revert_quota_set(project)
    assert (
        conn.compute.get_quota_set(project).instances
        == conn.compute.get_quota_set_defaults(project).instances
    )
    conn.compute.update_quota_set(
        project, instances=before.instances, cores=before.cores, key_pairs=before.key_pairs, force=True
    )
    refused(
        exceptions.BadRequestException, lambda: conn.compute.update_quota_set(project, instances=-5), "-5"
    )
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    day = datetime.timedelta(days=1)
    used = {row.project_id: row for row in conn.compute.usages(now - day, now + day)}
    assert used[project].total_hours >= 0
    one = conn.compute.get_usage(project, now - day, now + day)
    assert one.total_memory_mb_usage >= 0


def aggregates(conn, nova):
    """Aggregates, their hosts, metadata and zones."""
    del nova
    made = conn.compute.create_aggregate(name="sdk-rack", availability_zone="sdk-zone")
    host = sorted(one.name for one in conn.compute.hypervisors())[0]
    conn.compute.add_host_to_aggregate(made, host)
    refused(exceptions.ConflictException, lambda: conn.compute.add_host_to_aggregate(made, host), host)
    conn.compute.set_aggregate_metadata(made, {"ssd": "true"})
    shown = conn.compute.get_aggregate(made.id)
    assert shown.hosts == [host] and shown.metadata["ssd"] == "true"
    assert conn.compute.find_aggregate("sdk-rack").id == made.id
    zones = {zone.name: zone for zone in conn.compute.availability_zones(details=True)}
    assert list(zones["sdk-zone"].hosts) == [host] and zones["sdk-zone"].state["available"]
    placed = boot(conn, availability_zone="sdk-zone")
    assert placed.compute_host == host and placed.availability_zone == "sdk-zone"
    drop(conn, placed)
    refused(exceptions.BadRequestException, lambda: conn.compute.delete_aggregate(made), "is not empty")
    conn.compute.remove_host_from_aggregate(made, host)
    assert conn.compute.update_aggregate(made, name="sdk-rack-2").name == "sdk-rack-2"
    conn.compute.delete_aggregate(made)
    assert "sdk-zone" not in [zone.name for zone in conn.compute.availability_zones()]


def hypervisors_and_services(conn, nova):
    """Hypervisors with what they have, services that are switched off and on."""
    del nova
    found = list(conn.compute.hypervisors(details=True))
    assert len(found) == 3 and {one.state for one in found} == {"up"}
    one = conn.compute.get_hypervisor(found[0].id)
    assert one.name == found[0].name and one.service_details["host"]
    assert conn.compute.find_hypervisor(one.name).id == one.id
    assert [h.name for h in conn.compute.hypervisors(hypervisor_hostname_pattern=one.name)] == [one.name]
    services = list(conn.compute.services())
    assert {"nova-compute", "nova-conductor", "nova-scheduler"} <= {s.binary for s in services}
    compute = next(conn.compute.services(binary="nova-compute", host=one.service_details["host"]))
    conn.compute.disable_service(compute, disabled_reason="maintenance")
    off = next(conn.compute.services(binary="nova-compute", host=compute.host))
    assert (off.status, off.disabled_reason) == ("disabled", "maintenance")
    conn.compute.enable_service(compute)
    assert next(conn.compute.services(binary="nova-compute", host=compute.host)).status == "enabled"
