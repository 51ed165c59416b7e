"""What a program does with openstacksdk; run in the clients' Python, so it imports nothing of ours.

Each scenario takes a connection and novaclient's client, and the facts that its test names.
"""

from __future__ import annotations

import base64
import contextlib

from openstack import exceptions
from sdk_tools import LETTERS, STEM, boot, drop, idle, names, refused

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5MBGyFXAi2CP9jWjbB1mKCgE3cEYzMjBDEcYzfLRCa me@home"
LONG_AGO, FAR_OFF = "2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z"


def keep(conn, nova):
    """Make five servers that differ; the lists are asked for these.  May be done again."""
    del nova
    there = {server.name for server in conn.compute.servers(name=f"^{STEM}")}
    if len(there) == len(LETTERS):
        return
    assert not there, "an earlier run broke off"
    with contextlib.suppress(exceptions.ConflictException):
        conn.compute.create_keypair(name="sdk-kept", public_key=KEY)
    tiny = conn.compute.find_flavor("m1.tiny").id
    made = {
        "a": boot(conn, name=f"{STEM}a", tags=["red", "big"], description="first", access_ipv4="192.0.2.1"),
        "b": boot(conn, name=f"{STEM}b", tags=["red"], key_name="sdk-kept", hostname="sdk-own"),
        "c": boot(conn, name=f"{STEM}c", flavor_id=tiny, config_drive=True),
        "d": boot(conn, name=f"{STEM}d", networks="auto", access_ipv6="2001:db8::1"),
        "e": boot(conn, name=f"{STEM}e", min_count=1, max_count=1),
    }
    conn.compute.lock_server(made["b"], locked_reason="kept")
    conn.compute.stop_server(made["e"])
    idle(conn, made["e"], "SHUTOFF")


def unkeep(conn, nova):
    """Take them away again."""
    del nova
    kept = list(conn.compute.servers(name=f"^{STEM}"))
    for server in kept:
        conn.compute.unlock_server(server)
    drop(conn, *kept)
    conn.compute.delete_keypair("sdk-kept")


SHOWN = {
    "display_name": "name",
    "uuid": "id",
    "created_at": "created_at",
    "hostname": "hostname",
    "vm_state": "vm_state",
    "power_state": "power_state",
    "key_name": "key_name",
    "access_ip_v4": "access_ipv4",
    "access_ip_v6": "access_ipv6",
    "display_description": "description",
    "launched_at": "launched_at",
    "availability_zone": "availability_zone",
    "user_id": "user_id",
    "project_id": "project_id",
    "progress": "progress",
}
"""Sort words whose order can be read off a server as it is shown."""


def sort_key(conn, nova, key):
    """Every server is there once in both directions, and in order where the key's value is shown."""
    del nova
    found = {}
    for direction in ("asc", "desc"):
        page = list(conn.compute.servers(name=f"^{STEM}", sort_key=key, sort_dir=direction))
        assert names(page) == LETTERS, (key, direction, page)
        found[direction] = page
    if key in SHOWN:
        for direction, page in found.items():
            values = [getattr(server, SHOWN[key]) for server in page]
            # Where there is no value, databases differ in which end it belongs to.
            values = [value for value in values if value not in (None, "")]
            assert values == sorted(values, reverse=direction == "desc"), (key, direction, values)


def sort_keys_of_others(conn, nova):
    """Members are not told of hosts, not by an order either."""
    del nova
    for key in ("host", "node"):
        refused(exceptions.HttpException, lambda key=key: list(conn.compute.servers(sort_key=key)), key)
    refused(exceptions.BadRequestException, lambda: list(conn.compute.servers(sort_key="colour")), "sort_key")


def filters(conn, nova):
    """Each filter that members may use finds what it says."""
    del nova
    a = next(conn.compute.servers(name=f"^{STEM}a$"))
    b = next(conn.compute.servers(name=f"^{STEM}b$"))
    d = next(conn.compute.servers(name=f"^{STEM}d$"))
    address = d.addresses["private"][0]["addr"]
    expected = [
        ({"status": "SHUTOFF"}, "e"),
        ({"status": "ACTIVE"}, "abcd"),
        ({"status": "PAUSED"}, ""),
        ({"flavor": conn.compute.find_flavor("m1.tiny").id}, "c"),
        ({"image": conn.image.find_image("tiny").id}, "abcde"),
        ({"tags": "red"}, "ab"),
        ({"tags": "red,big"}, "a"),
        ({"any_tags": "red,big"}, "ab"),
        ({"not_tags": "big"}, "bcde"),
        ({"not_any_tags": "red,big"}, "cde"),
        ({"locked": True}, "b"),
        ({"locked": False}, "acde"),
        ({"reservation_id": a.reservation_id or "none"}, "a" if a.reservation_id else ""),
        ({"ipv4_address": f"^{address}$"}, "d"),
        ({"changes_since": LONG_AGO}, "abcde"),
        ({"changes_since": FAR_OFF}, ""),
        ({"changes_before": LONG_AGO}, ""),
        ({"changes_before": FAR_OFF}, "abcde"),
        ({"has_config_drive": True}, "c"),
        ({"key_name": "sdk-kept"}, "b"),
        ({"vm_state": "stopped"}, "e"),
        ({"power_state": 4}, "e"),
        ({"availability_zone": "nova"}, "abcde"),
        ({"user_id": b.user_id}, "abcde"),
        ({"launched_at": b.launched_at}, None),
        ({"hostname": "sdk-own"}, None),
    ]
    for words, wanted in expected:
        found = names(conn.compute.servers(**({"name": f"^{STEM}"} | words)))
        assert wanted is None or found == wanted, (words, found)
    assert names(conn.compute.servers(name=f"{STEM}[ab]")) == "ab"
    refused(exceptions.BadRequestException, lambda: list(conn.compute.servers(name="(")), "name")


def pages(conn, nova):
    """Pages of every size give each server once, by links and by markers of one's own."""
    del nova
    query = {"name": f"^{STEM}", "sort_key": "display_name", "sort_dir": "asc"}
    for size in (1, 2, 3, 5, 10):
        found = [server.name.removeprefix(STEM) for server in conn.compute.servers(limit=size, **query)]
        assert "".join(found) == LETTERS, (size, found)
        seen, marker = [], None
        while True:
            more = {"marker": marker} if marker else {}
            page = list(conn.compute.servers(limit=size, paginated=False, **query, **more))
            assert len(page) <= size
            if not page:
                break
            seen += [server.name.removeprefix(STEM) for server in page]
            marker = page[-1].id
        assert "".join(seen) == LETTERS, (size, seen)
    nobody = "00000000-0000-0000-0000-00000000dead"
    refused(
        exceptions.BadRequestException, lambda: list(conn.compute.servers(marker=nobody, limit=1)), nobody
    )


def create_with_all_that_can_be_said(conn, nova):
    """A server is as it was asked for."""
    del nova
    with contextlib.suppress(exceptions.ConflictException):
        conn.compute.create_keypair(name="sdk-said", public_key=KEY)
    script = base64.b64encode(b"#!/bin/sh\n").decode()
    made = boot(
        conn, name="sdk-said", key_name="sdk-said", networks="auto", user_data=script, config_drive=True,
        metadata={"role": "web"}, tags=["blue"], description="of the library", hostname="sdk-said-host",
        availability_zone="nova", security_groups=[{"name": "default"}], access_ipv4="192.0.2.7",
        disk_config="MANUAL",
    )  # fmt: skip
    assert made.metadata == {"role": "web"} and made.tags == ["blue"] and made.key_name == "sdk-said"
    assert made.description == "of the library" and made.hostname == "sdk-said-host"
    assert made.has_config_drive and made.availability_zone == "nova" and made.access_ipv4 == "192.0.2.7"
    assert list(made.addresses) == ["private"] and made.security_groups == [{"name": "default"}]
    assert made.disk_config == "MANUAL" and made.is_locked is False
    assert conn.compute.find_server("sdk-said").id == made.id
    changed = conn.compute.update_server(made, name="sdk-said-2", description="else", access_ipv4="192.0.2.8")
    assert (changed.name, changed.description, changed.access_ipv4) == ("sdk-said-2", "else", "192.0.2.8")
    drop(conn, made)
    conn.compute.delete_keypair("sdk-said")


def create_with_networks(conn, nova):
    """Networks: none, automatic, by id, with an address of one's choice; ports are told of."""
    del nova
    network = conn.compute.get("/os-networks", microversion="2.1").json()["networks"][0]["id"]
    for networks, wanted in (
        ("none", 0),
        ("auto", 1),
        ([{"uuid": network}], 1),
        ([{"uuid": network}] * 2, 2),
    ):
        made = boot(conn, networks=networks)
        found = [row for rows in made.addresses.values() for row in rows]
        assert len(found) == wanted, (networks, found)
        assert len(list(conn.compute.server_interfaces(made))) == wanted
        drop(conn, made)
    made = boot(conn, networks="auto")
    address = made.addresses["private"][0]["addr"]
    refused(
        exceptions.BadRequestException,
        lambda: boot(conn, networks=[{"uuid": network, "fixed_ip": address}]),
        address,
    )
    drop(conn, made)
    again = boot(conn, networks=[{"uuid": network, "fixed_ip": address, "tag": "lan"}])
    assert again.addresses["private"][0]["addr"] == address
    assert [row.address for row in conn.compute.server_ips(again)] == [address]
    drop(conn, again)
    nobody = "00000000-0000-0000-0000-00000000dead"
    for wrong in ([{"uuid": nobody}], [{"port": nobody}]):
        refused(exceptions.BadRequestException, lambda wrong=wrong: boot(conn, networks=wrong), nobody)


def create_with_disks(conn, nova):
    """Disks of the second form: the image, ephemeral and swap ones; sizes beyond the flavor are refused."""
    del nova
    image = conn.image.find_image("tiny").id
    root = {
        "uuid": image, "source_type": "image", "destination_type": "local", "boot_index": 0,
        "delete_on_termination": True,
    }  # fmt: skip
    blank = {"source_type": "blank", "destination_type": "local", "boot_index": -1}
    flavor = conn.compute.find_flavor("m1.disks").id
    ephemeral = blank | {"volume_size": 1, "guest_format": "ext4"}
    swap = blank | {"volume_size": 64, "guest_format": "swap"}
    made = boot(conn, flavor_id=flavor, block_device_mapping=[root, ephemeral, swap])
    assert "3 disks" in conn.compute.get_server_console_output(made)["output"]
    drop(conn, made)
    for disks, words in (
        ([root, blank | {"volume_size": 50}], "larger"),
        ([root, swap | {"volume_size": 5000}], "larger"),
        ([root, root], "Boot sequence"),
        ([root, {"source_type": "volume", "destination_type": "volume", "uuid": image}], "volume"),
    ):
        refused(
            exceptions.BadRequestException,
            lambda disks=disks: boot(conn, flavor_id=flavor, block_device_mapping=disks),
            words,
        )


def create_several(conn, nova):
    """Counts: all of them or as many as there is room for; each is numbered."""
    del nova
    boot(conn, wait=False, name="sdk-many", min_count=2, max_count=3)
    found = sorted(conn.compute.servers(name="^sdk-many-"), key=lambda server: server.name)
    assert [server.name for server in found] == ["sdk-many-1", "sdk-many-2", "sdk-many-3"]
    assert {idle(conn, server, "ACTIVE").status for server in found} == {"ACTIVE"}
    drop(conn, *found)
    refused(exceptions.BadRequestException, lambda: boot(conn, min_count=3, max_count=2), "min_count")
    refused(exceptions.ForbiddenException, lambda: boot(conn, min_count=2000, max_count=2000), "Quota")


def place_of_members(conn, nova, node):
    """Members choose zones only."""
    del nova
    for words in ({"availability_zone": f"nova:{node}"}, {"host": node}, {"hypervisor_hostname": node}):
        refused(
            exceptions.ForbiddenException, lambda words=words: boot(conn, **words), "Policy doesn't allow"
        )


def hints(conn, nova):
    """Scheduler hints: another host than, the same host as, a group that is kept apart."""
    del nova
    first = boot(conn)
    apart = boot(conn, scheduler_hints={"different_host": [first.id]})
    together = boot(conn, scheduler_hints={"same_host": [first.id]})
    assert first.host_id == together.host_id != apart.host_id
    group = conn.compute.create_server_group(name="sdk-apart", policy="anti-affinity")
    members = [boot(conn, scheduler_hints={"group": group.id}) for _ in range(2)]
    assert len({server.host_id for server in members}) == 2
    shown = conn.compute.get_server_group(group.id)
    assert sorted(shown.member_ids) == sorted(server.id for server in members)
    assert shown.policy == "anti-affinity" and conn.compute.find_server_group("sdk-apart").id == group.id
    assert group.id in [one.id for one in conn.compute.server_groups()]
    drop(conn, first, apart, together, *members)
    conn.compute.delete_server_group(group)
    refused(exceptions.NotFoundException, lambda: conn.compute.get_server_group(group.id), group.id)
    refused(exceptions.BadRequestException, lambda: boot(conn, scheduler_hints={"group": group.id}), group.id)


STEPS = (
    ("stop", "stop_server", {}, "SHUTOFF"),
    ("start", "start_server", {}, "ACTIVE"),
    ("pause", "pause_server", {}, "PAUSED"),
    ("unpause", "unpause_server", {}, "ACTIVE"),
    ("suspend", "suspend_server", {}, "SUSPENDED"),
    ("resume", "resume_server", {}, "ACTIVE"),
    ("reboot", "reboot_server", {"reboot_type": "SOFT"}, "ACTIVE"),
    ("reboot", "reboot_server", {"reboot_type": "HARD"}, "ACTIVE"),
)


def act(conn, nova):
    """Every action leads where it should, and is written down with its events."""
    del nova
    server = boot(conn)
    for _, method, options, status in STEPS:
        getattr(conn.compute, method)(server, **options)
        idle(conn, server, status)
    told = list(conn.compute.server_actions(server))
    assert [one.action for one in told][::-1] == ["create", *(step[0] for step in STEPS)]
    for one in told:
        shown = conn.compute.get_server_action(one.request_id, server)
        assert shown.action == one.action and shown.user_id == server.user_id and shown.start_time
        assert shown.events and {event.result for event in shown.events} == {"Success"}, shown
    assert [one.action for one in conn.compute.server_actions(server, limit=2, paginated=False)] == [
        "reboot",
        "reboot",
    ]
    refused(exceptions.ConflictException, lambda: conn.compute.start_server(server), "vm_state active")
    refused(exceptions.ConflictException, lambda: conn.compute.resume_server(server), "vm_state active")
    conn.compute.lock_server(server, locked_reason="mine")
    locked = conn.compute.get_server(server.id)
    assert locked.is_locked and locked.locked_reason == "mine"
    conn.compute.unlock_server(server)
    refused(
        exceptions.ForbiddenException,
        lambda: conn.compute.reset_server_state(server, "active"),
        "Policy doesn't allow",
    )
    conn.compute.delete_server(server, force=True)
    conn.compute.wait_for_delete(server, interval=0.2, wait=120)
    refused(exceptions.NotFoundException, lambda: conn.compute.stop_server(server), server.id)


def screen_and_log(conn, nova):
    """The serial log, whole and its end; the screen's URL."""
    del nova
    server = boot(conn)
    whole = conn.compute.get_server_console_output(server)["output"]
    assert "is up" in whole
    end = conn.compute.get_server_console_output(server, length=1)["output"]
    assert whole.rstrip("\n").endswith(end.strip("\n")) and len(end) < len(whole)
    made = conn.compute.create_server_remote_console(server, protocol="vnc", type="novnc")
    assert made.type == "novnc" and "token=" in made.url.replace("%3D", "=")
    assert conn.compute.create_console(server, console_type="novnc")["type"] == "novnc"
    conn.compute.stop_server(server)
    idle(conn, server, "SHUTOFF")
    refused(
        exceptions.ConflictException,
        lambda: conn.compute.create_server_remote_console(server, protocol="vnc", type="novnc"),
        server.id,
    )
    drop(conn, server)


def snapshot(conn, nova):
    """An image of a server says whence it is, and boots."""
    del nova
    server = boot(conn)
    image = conn.compute.create_server_image(server, "sdk-shot", metadata={"why": "test"}, wait=True)
    found = conn.image.get_image(image.id)
    said = {**found.properties, "instance_uuid": found.instance_uuid}
    assert found.status == "active" and found.owner == server.project_id and said["why"] == "test"
    assert said["image_type"] == "snapshot" and said["instance_uuid"] == server.id
    assert said["base_image_ref"] == server.image.id and said["user_id"] == server.user_id
    assert found.id in [one.id for one in conn.image.images(image_type="snapshot")]
    idle(conn, server, "ACTIVE")
    copy = boot(conn, image_id=image.id)
    assert copy.image.id == image.id
    drop(conn, server, copy)
    conn.image.delete_image(image.id)


def metadata_and_tags(conn, nova):
    """Metadata and tags are set, replaced and removed."""
    del nova
    server = boot(conn, metadata={"a": "1"})
    conn.compute.set_server_metadata(server, b="2", a="0")
    assert conn.compute.fetch_server_metadata(server).metadata == {"a": "0", "b": "2"}
    conn.compute.delete_server_metadata(server, ["a"])
    assert conn.compute.get_server(server.id).metadata == {"b": "2"}
    for tag in ("x", "y"):
        conn.compute.add_tag_to_server(server, tag)
    assert sorted(conn.compute.get_server(server.id).tags) == ["x", "y"]
    conn.compute.remove_tag_from_server(server, "x")
    assert conn.compute.get_server(server.id).tags == ["y"]
    conn.compute.remove_tags_from_server(server)
    assert conn.compute.get_server(server.id).tags == []
    refused(exceptions.NotFoundException, lambda: conn.compute.remove_tag_from_server(server, "x"), "x")
    refused(exceptions.BadRequestException, lambda: conn.compute.add_tag_to_server(server, "t" * 61), "")
    fetched = conn.compute.fetch_server_security_groups(server)
    assert [group["name"] for group in fetched.security_groups] == ["default"]
    drop(conn, server)


def keypairs(conn, nova):
    """Key pairs: given, made, shown, listed, gone."""
    del nova
    given = conn.compute.create_keypair(name="sdk-given", public_key=KEY)
    assert given.fingerprint and not given.private_key
    made = conn.create_keypair("sdk-second", KEY)
    listed = [pair.name for pair in conn.compute.keypairs()]
    assert {"sdk-given", "sdk-second"} <= set(listed)
    assert listed == sorted(listed)
    assert conn.compute.get_keypair("sdk-given").public_key == KEY
    refused(
        exceptions.ConflictException,
        lambda: conn.compute.create_keypair(name="sdk-given", public_key=KEY),
        "already exists",
    )
    refused(
        exceptions.BadRequestException,
        lambda: conn.compute.create_keypair(name="bad", public_key="no key"),
        "",
    )
    for pair in (given, made):
        conn.compute.delete_keypair(pair)
    assert conn.compute.find_keypair("sdk-given") is None


def a_reader_reads(conn, nova):
    """A reader sees what a member sees and changes nothing."""
    del nova
    servers = list(conn.compute.servers())
    assert servers and list(conn.compute.flavors()) and list(conn.compute.keypairs()) is not None
    server = servers[0]
    assert conn.compute.get_server(server.id).name == server.name
    assert list(conn.compute.server_actions(server))
    assert conn.compute.get_limits().absolute
    for ask in (
        lambda: boot(conn),
        lambda: conn.compute.stop_server(server),
        lambda: conn.compute.set_server_metadata(server, a="1"),
        lambda: conn.compute.add_tag_to_server(server, "x"),
        lambda: conn.compute.create_server_image(server, "x"),
        lambda: conn.compute.update_server(server, name="x"),
        lambda: conn.compute.delete_server(server),
        lambda: conn.compute.create_server_group(name="x", policy="affinity"),
        lambda: conn.compute.create_server_remote_console(server, protocol="vnc", type="novnc"),
    ):
        refused(exceptions.ForbiddenException, ask, "Policy doesn't allow")
