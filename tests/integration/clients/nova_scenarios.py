"""What a program does with python-novaclient; run in the clients' Python, so it imports nothing of ours.

Each scenario takes the SDK's connection and novaclient's client, and the facts that its test names.
"""

from __future__ import annotations

import datetime
import itertools
import time

from novaclient import exceptions

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5MBGyFXAi2CP9jWjbB1mKCgE3cEYzMjBDEcYzfLRCa me@home"
NOBODY = "00000000-0000-0000-0000-00000000dead"
STEM = "lib-kept-"
LETTERS = "abcd"
_numbers = itertools.count(1)


def until(fact, within_s=120.0):
    """Wait for a fact; return it."""
    end = time.monotonic() + within_s
    while not (found := fact()):
        assert time.monotonic() < end, "not true in time"
        time.sleep(0.1)
    return found


def boot(nova, wait=True, **more):
    """Create a server of the smallest flavor; return it when it is there."""
    wish = {
        "name": f"lib-{next(_numbers)}",
        "image": nova.glance.find_image("tiny"),
        "flavor": nova.flavors.find(name="m1.nano"),
        "nics": "none",
    }
    made = nova.servers.create(**(wish | more))
    return idle(nova, made, "ACTIVE") if wait else made


def idle(nova, server, status):
    """Wait until a server has a status and nothing is under way."""

    def there():
        found = nova.servers.get(server.id)
        assert found.status == status or found.status != "ERROR", found.to_dict()
        return found if found.status == status and not getattr(found, "OS-EXT-STS:task_state") else None

    return until(there)


def drop(nova, *servers):
    for server in servers:
        server.delete()
    for server in servers:
        until(lambda server=server: gone(nova, server))


def gone(nova, server):
    try:
        nova.servers.get(server.id)
    except exceptions.NotFound:
        return True
    return False


def refused(kind, ask, *words):
    """Require that a request is refused as that kind of error, with these words."""
    try:
        ask()
    except kind as error:
        assert all(word in str(error) for word in words), error
        return
    raise AssertionError("it was not refused")


def letters(found):
    return "".join(server.name.removeprefix(STEM) for server in found)


def keep(conn, nova):
    """Make four servers that differ; the lists are asked for these.  May be done again."""
    del conn
    if nova.servers.list(search_opts={"name": f"^{STEM}"}):
        return
    made = {
        "a": boot(nova, name=f"{STEM}a", tags=["red", "big"], meta={"n": "1"}),
        "b": boot(nova, name=f"{STEM}b", tags=["red"], description="second"),
        "c": boot(nova, name=f"{STEM}c", flavor=nova.flavors.find(name="m1.tiny"), config_drive=True),
        "d": boot(nova, name=f"{STEM}d", nics="auto"),
    }
    made["b"].lock(reason="kept")
    made["d"].stop()
    idle(nova, made["d"], "SHUTOFF")


def unkeep(conn, nova):
    """Take them away again."""
    del conn
    kept = nova.servers.list(search_opts={"name": f"^{STEM}"})
    for server in kept:
        server.unlock()
    drop(nova, *kept)


def sort_key(conn, nova, key):
    """Every server is there once, in either direction, and pages in that order are complete."""
    del conn
    for direction in ("asc", "desc"):
        more = {"sort_keys": [key], "sort_dirs": [direction]}
        whole = nova.servers.list(search_opts={"name": f"^{STEM}"}, **more)
        assert sorted(letters(whole)) == list(LETTERS), (key, direction)
        seen, marker = [], None
        while page := nova.servers.list(search_opts={"name": f"^{STEM}"}, limit=3, marker=marker, **more):
            seen += page
            marker = page[-1].id
        assert letters(seen) == letters(whole), (key, direction)


def sort_by_several(conn, nova):
    """Keys count in their order."""
    del conn

    def order(*pairs):
        return letters(
            nova.servers.list(
                search_opts={"name": f"^{STEM}"},
                sort_keys=[key for key, _ in pairs],
                sort_dirs=[direction for _, direction in pairs],
            )
        )

    assert order(("vm_state", "desc"), ("display_name", "asc")) == "dabc"
    assert order(("vm_state", "asc"), ("display_name", "desc")) == "cbad"
    assert order(("display_name", "asc")) == "abcd" and order(("created_at", "desc")) == "dcba"


def filters(conn, nova):
    """Each filter finds what it says."""
    del conn
    d = nova.servers.list(search_opts={"name": f"^{STEM}d$"})[0]
    address = d.addresses["private"][0]["addr"]
    for words, wanted in (
        ({"status": "SHUTOFF"}, "d"),
        ({"status": "ACTIVE"}, "abc"),
        ({"flavor": nova.flavors.find(name="m1.tiny").id}, "c"),
        ({"image": nova.glance.find_image("tiny").id}, "abcd"),
        ({"tags": "red"}, "ab"),
        ({"tags": "big,red"}, "a"),
        ({"tags-any": "big,red"}, "ab"),
        ({"not-tags": "big"}, "bcd"),
        ({"not-tags-any": "big,red"}, "cd"),
        ({"locked": True}, "b"),
        ({"ip": f"^{address}$"}, "d"),
        ({"changes-since": "2000-01-01T00:00:00Z"}, "abcd"),
        ({"changes-before": "2000-01-01T00:00:00Z"}, ""),
        ({"config_drive": True}, "c"),
        ({"vm_state": "stopped"}, "d"),
        ({"power_state": 1}, "abc"),
    ):
        found = nova.servers.list(search_opts={"name": f"^{STEM}"} | words)
        assert "".join(sorted(letters(found))) == wanted, (words, found)
    refused(exceptions.BadRequest, lambda: nova.servers.list(search_opts={"changes-since": "soon"}), "soon")
    refused(exceptions.BadRequest, lambda: nova.servers.list(marker=NOBODY), NOBODY)
    short = nova.servers.list(detailed=False, search_opts={"name": f"^{STEM}a$"})[0]
    assert not hasattr(short, "status") or short.to_dict().keys() == {"id", "name", "links"}


def create(conn, nova):
    """A server is as it was asked for, and is changed."""
    del conn
    nova.keypairs.create("lib-said", public_key=KEY)
    made = boot(
        nova, name="lib-said", key_name="lib-said", nics="auto", userdata="#!/bin/sh\n", config_drive=True,
        meta={"role": "web"}, tags=["blue"], description="of the library", hostname="lib-said-host",
        availability_zone="nova", security_groups=["default"], access_ip_v4="192.0.2.9", disk_config="AUTO",
    )  # fmt: skip
    assert made.metadata == {"role": "web"} and made.tags == ["blue"] and made.key_name == "lib-said"
    assert made.description == "of the library" and made.config_drive == "True"
    assert made.accessIPv4 == "192.0.2.9" and list(made.networks) == ["private"]
    assert made.flavor["original_name"] == "m1.nano"
    assert [row.net_id for row in made.interface_list()]
    assert [group.name for group in made.list_security_group()] == ["default"]
    made.update(name="lib-again", description="else")
    assert nova.servers.find(name="lib-again").description == "else"
    nova.servers.set_meta(made, {"a": "1"})
    nova.servers.set_meta_item(made, "b", "2")
    nova.servers.delete_meta(made, ["role"])
    assert nova.servers.list_meta(made)["metadata"] == {"a": "1", "b": "2"}
    assert nova.servers.get_meta(made, "b")["meta"] == {"b": "2"}
    made.add_tag("x")
    made.set_tags(["y", "z"])
    made.delete_tag("y")
    assert made.tag_list() == ["z"]
    made.delete_all_tags()
    assert made.tag_list() == []
    made.remove_security_group("default")
    made.add_security_group("default")
    refused(exceptions.NotFound, lambda: made.add_security_group("nothing"), "nothing")
    drop(nova, made)
    nova.keypairs.delete("lib-said")


def create_with_disks(conn, nova):
    """Disks of both forms that need no volumes."""
    del conn
    flavor = nova.flavors.find(name="m1.disks")
    blank = {"source_type": "blank", "destination_type": "local", "boot_index": -1}
    # The library puts the image in front of them by itself.
    disks = [
        blank | {"volume_size": 1, "guest_format": "ext4"},
        blank | {"volume_size": 64, "guest_format": "swap"},
    ]
    made = boot(nova, flavor=flavor, block_device_mapping_v2=disks)
    assert "3 disks" in made.get_console_output()
    drop(nova, made)
    refused(
        exceptions.BadRequest,
        lambda: boot(nova, flavor=flavor, block_device_mapping_v2=[blank | {"volume_size": 1}], image=None),
        "Boot sequence",
    )
    refused(exceptions.BadRequest, lambda: boot(nova, block_device_mapping={"vda": f"{NOBODY}:::0"}), "olume")


def create_several(conn, nova):
    """Counts and the reservation that they share."""
    del conn
    boot(nova, wait=False, name="lib-many", min_count=1, max_count=3)
    found = nova.servers.list(search_opts={"name": "^lib-many-"})
    assert sorted(server.name for server in found) == ["lib-many-1", "lib-many-2", "lib-many-3"]
    for server in found:
        idle(nova, server, "ACTIVE")
    reserved = boot(nova, wait=False, name="lib-res", min_count=2, max_count=2, reservation_id=True)
    same = nova.servers.list(search_opts={"reservation_id": str(reserved)})
    assert sorted(server.name for server in same) == ["lib-res-1", "lib-res-2"]
    drop(nova, *found, *same)
    refused(exceptions.Forbidden, lambda: boot(nova, min_count=2000, max_count=2000), "Quota exceeded")


def place(conn, nova):
    """Administrators name hosts and nodes; one that is not there is refused with a sentence."""
    del conn
    node = sorted(one.hypervisor_hostname for one in nova.hypervisors.list())[0]
    for words in (
        {"availability_zone": f"nova:{node}"},
        {"availability_zone": f"nova:{node}:{node}"},
        {"host": node},
        {"hypervisor_hostname": node},
    ):
        made = boot(nova, **words)
        assert getattr(made, "OS-EXT-SRV-ATTR:host") == node, words
        drop(nova, made)
    for words in ({"availability_zone": "nova:nowhere"}, {"host": "nowhere"}):
        refused(exceptions.BadRequest, lambda words=words: boot(nova, **words), "nowhere could not be found")


def hints(conn, nova):
    """A group of servers that are kept together, and hints that name servers."""
    del conn
    group = nova.server_groups.create(name="lib-together", policy="affinity")
    members = [boot(nova, scheduler_hints={"group": group.id}) for _ in range(2)]
    assert len({server.hostId for server in members}) == 1
    apart = boot(nova, scheduler_hints={"different_host": members[0].id})
    assert apart.hostId != members[0].hostId
    assert sorted(nova.server_groups.get(group.id).members) == sorted(server.id for server in members)
    assert nova.server_groups.find(name="lib-together").policy == "affinity"
    drop(nova, apart, *members)
    nova.server_groups.delete(group.id)
    refused(exceptions.NotFound, lambda: nova.server_groups.get(group.id), group.id)


STEPS = (
    ("stop", "stop", (), "SHUTOFF"),
    ("start", "start", (), "ACTIVE"),
    ("pause", "pause", (), "PAUSED"),
    ("unpause", "unpause", (), "ACTIVE"),
    ("suspend", "suspend", (), "SUSPENDED"),
    ("resume", "resume", (), "ACTIVE"),
    ("reboot", "reboot", ("SOFT",), "ACTIVE"),
    ("reboot", "reboot", ("HARD",), "ACTIVE"),
)


def act(conn, nova):
    """Every action leads where it should, and is written down with its events."""
    del conn
    server = boot(nova)
    for _, method, options, status in STEPS:
        getattr(server, method)(*options)
        idle(nova, server, status)
    told = nova.instance_action.list(server)
    assert [one.action for one in told][::-1] == ["create", *(step[0] for step in STEPS)]
    for one in told:
        shown = nova.instance_action.get(server, one.request_id)
        assert shown.events and {event["result"] for event in shown.events} == {"Success"}, shown.to_dict()
    page = nova.instance_action.list(server, limit=2)
    assert [one.action for one in page] == ["reboot", "reboot"]
    assert [one.action for one in nova.instance_action.list(server, marker=told[-2].request_id)] == ["create"]
    refused(exceptions.Conflict, server.start, "vm_state active")
    server.lock(reason="mine")
    assert nova.servers.get(server.id).locked_reason == "mine"
    server.unlock()
    refused(exceptions.Forbidden, lambda: server.reset_state("active"), "Policy doesn't allow")
    server.force_delete()
    until(lambda: gone(nova, server))


def screen_log_and_snapshot(conn, nova):
    """The serial log, the screen's URL, and an image that says whence it is."""
    server = boot(nova)
    assert "is up" in server.get_console_output() and server.get_console_output(length=1)
    made = server.get_vnc_console("novnc")["remote_console"]
    assert made["type"] == "novnc" and "token" in made["url"]
    refused(exceptions.BadRequest, lambda: server.get_spice_console("spice-html5"), "")
    image = server.create_image("lib-shot", {"why": "test"})
    until(lambda: conn.image.get_image(image).status == "active")
    found = nova.glance.find_image("lib-shot")
    assert found.image_type == "snapshot" and found.base_image_ref == server.image["id"]
    idle(nova, server, "ACTIVE")
    copy = boot(nova, image=found)
    assert copy.image["id"] == image
    drop(nova, server, copy)
    conn.image.delete_image(image)


def keypairs(conn, nova):
    """Key pairs in pages."""
    del conn
    for number in range(3):
        nova.keypairs.create(f"lib-{number}", public_key=KEY)
    names = [pair.name for pair in nova.keypairs.list()]
    assert [pair.name for pair in nova.keypairs.list(limit=2)] == names[:2]
    assert [pair.name for pair in nova.keypairs.list(marker="lib-1")] == names[names.index("lib-1") + 1 :]
    assert nova.keypairs.get("lib-0").type == "ssh"
    refused(exceptions.Conflict, lambda: nova.keypairs.create("lib-0", public_key=KEY), "already exists")
    for number in range(3):
        nova.keypairs.delete(f"lib-{number}")
    refused(exceptions.NotFound, lambda: nova.keypairs.get("lib-0"), "lib-0")


def flavors(conn, nova, project):
    """An administrator's flavors."""
    del conn
    made = nova.flavors.create(
        "lib-flavor", 256, 1, 1, flavorid="lib-flavor", ephemeral=1, swap=64, is_public=False, description="d"
    )
    assert made.set_keys({"hw:cpu_policy": "shared"}) == {"hw:cpu_policy": "shared"}
    assert made.get_keys() == {"hw:cpu_policy": "shared"}
    made.unset_keys(["hw:cpu_policy"])
    nova.flavor_access.add_tenant_access(made, project)
    assert [row.tenant_id for row in nova.flavor_access.list(flavor=made)] == [project]
    nova.flavor_access.remove_tenant_access(made, project)
    assert nova.flavors.update(made, "other words").description == "other words"
    assert made.id in [one.id for one in nova.flavors.list(is_public=None)]
    assert [one.id for one in nova.flavors.list(is_public=False)] == [made.id]
    sizes = [one.ram for one in nova.flavors.list(sort_key="memory_mb", sort_dir="desc")]
    assert sizes == sorted(sizes, reverse=True) and nova.flavors.list(min_disk=10**6) == []
    made.delete()
    refused(exceptions.NotFound, lambda: nova.flavors.get("lib-flavor"), "lib-flavor")


def quotas_limits_and_usage(conn, nova, project):
    """Quotas of projects and users, limits, usage."""
    del conn
    before = nova.quotas.get(project)
    nova.quotas.update(project, instances=before.instances - 1, force=True)
    assert nova.quotas.get(project).instances == before.instances - 1
    nova.quotas.update(project, user_id="somebody", instances=5, force=True)
    assert nova.quotas.get(project, user_id="somebody").instances == 5
    nova.quotas.delete(project, user_id="somebody")
    assert nova.quotas.get(project, detail=True).instances["limit"] == before.instances - 1
    nova.quotas.update(project, instances=before.instances, force=True)
    assert nova.quotas.defaults(project).instances and nova.quota_classes.get("default").cores
    values = {one.name: one.value for one in nova.limits.get().absolute}
    assert values["maxTotalInstances"] and values["totalInstancesUsed"] >= 0
    now, day = datetime.datetime.now(datetime.UTC).replace(tzinfo=None), datetime.timedelta(days=1)
    rows = {row.tenant_id: row for row in nova.usage.list(now - day, now + day, detailed=True)}
    assert rows[project].server_usages and rows[project].total_hours >= 0
    assert nova.usage.get(project, now - day, now + day).total_vcpus_usage >= 0


def aggregates_and_zones(conn, nova):
    """Aggregates with hosts and metadata, and the zones that they are."""
    del conn
    made = nova.aggregates.create("lib-rack", "lib-zone")
    host = sorted(one.hypervisor_hostname for one in nova.hypervisors.list())[1]
    made.add_host(host)
    refused(exceptions.Conflict, lambda: made.add_host(host), host)
    refused(exceptions.NotFound, lambda: made.add_host("nowhere"), "nowhere")
    made.set_metadata({"ssd": "true"})
    shown = nova.aggregates.get(made.id)
    assert shown.hosts == [host] and shown.metadata == {"ssd": "true", "availability_zone": "lib-zone"}
    zones = {zone.zoneName: zone for zone in nova.availability_zones.list(detailed=True)}
    assert host in zones["lib-zone"].hosts
    made.remove_host(host)
    made.update({"name": "lib-rack-2"})
    assert [one.name for one in nova.aggregates.list()] == ["lib-rack-2"]
    made.delete()
    assert "lib-zone" not in [zone.zoneName for zone in nova.availability_zones.list()]


def hypervisors_and_services(conn, nova):
    """What hosts have, and services that are switched off and on."""
    del conn
    one = nova.hypervisors.list(detailed=True)[0]
    assert nova.hypervisors.get(one.id).hypervisor_hostname == one.hypervisor_hostname
    assert [h.id for h in nova.hypervisors.search(one.hypervisor_hostname)] == [one.id]
    first = nova.hypervisors.list(limit=1)
    assert [h.id for h in nova.hypervisors.list(marker=first[0].id)] != [
        h.id for h in nova.hypervisors.list()
    ]
    compute = nova.services.list(binary="nova-compute", host=one.service["host"])[0]
    assert nova.services.disable_log_reason(compute.id, "maintenance").disabled_reason == "maintenance"
    assert nova.services.enable(compute.id).status == "enabled"
    assert nova.services.force_down(compute.id, True).forced_down
    assert not nova.services.force_down(compute.id, False).forced_down
    until(lambda: {h.state for h in nova.hypervisors.list(detailed=True)} == {"up"})
    assert nova.versions.get_current().status == "CURRENT"


def what_is_not_there(conn, nova):
    """What is announced and not done here says so in a sentence; what is not found says what."""
    del conn
    server = nova.servers.list()[0]
    flavor = nova.flavors.find(name="m1.tiny")
    for ask in (
        lambda: server.resize(flavor),
        lambda: server.rebuild(nova.glance.find_image("tiny")),
        lambda: server.rescue(),
        lambda: server.shelve(),
        lambda: server.backup("x", "daily", 1),
        lambda: nova.volumes.create_server_volume(server.id, NOBODY, None),
    ):
        refused(exceptions.ClientException, ask, "501")
    refused(exceptions.NotFound, lambda: nova.servers.get(NOBODY), NOBODY)
    refused(exceptions.NotFound, lambda: nova.flavors.get("nothing"), "nothing")
    refused(exceptions.BadRequest, lambda: boot(nova, image=NOBODY), "image")
    refused(exceptions.BadRequest, lambda: boot(nova, flavor="nothing"), "nothing")
    refused(exceptions.BadRequest, lambda: boot(nova, key_name="nothing"), "key_name")
    refused(exceptions.BadRequest, lambda: boot(nova, security_groups=["nothing"]), "nothing")


def a_reader_reads(conn, nova):
    """A reader changes nothing."""
    del conn
    server = nova.servers.list()[0]
    assert nova.instance_action.list(server) and nova.limits.get() and nova.flavors.list()
    for ask in (
        lambda: boot(nova),
        server.stop,
        server.pause,
        server.lock,
        server.delete,
        lambda: server.reboot(),
        lambda: server.create_image("x"),
        lambda: server.get_vnc_console("novnc"),
        lambda: nova.servers.set_meta(server, {"a": "1"}),
        lambda: server.add_tag("x"),
    ):
        refused(exceptions.Forbidden, ask, "Policy doesn't allow")
