"""From the body of a create request to the wish the conductor gets."""

from __future__ import annotations

import pytest

from nova.objects.block_device import Destination, Source
from nova.objects.network import NetworkChoice
from tests.unit.api.compute.servers.conftest import IMAGE, NETWORK, OTHER, PROJECT, SERVER, Caller


def body(hints=None, **server):
    document = {"server": {"name": "web", "flavorRef": "1", "imageRef": IMAGE, "networks": "auto"} | server}
    if hints is not None:
        document["os:scheduler_hints"] = hints
    return document


def wish_of(call, document, version="latest", admin=False):
    answer = (call.admin if admin else call)("POST", "/servers", document, version=version)
    assert answer.status_code == 202, answer.text
    return call.conductor.asked("boot")[0]


def refused(call, document, code=400, version="latest"):
    answer = call("POST", "/servers", document, version=version)
    assert answer.status_code == code, answer.text
    assert not [name for name, _ in call.conductor.calls if name == "boot"]
    return next(iter(answer.json.values()))["message"]


def test_plain_create_answers_id_links_and_password(call):
    answer = call("POST", "/servers", body())
    server = answer.json["server"]
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"http://localhost/v2.1/servers/{SERVER}"
    assert server["id"] == SERVER
    assert server["security_groups"] == [{"name": "default"}]
    assert server["OS-DCF:diskConfig"] == "AUTO"
    assert len(server["adminPass"]) == 12
    wish = call.conductor.asked("boot")[0]
    assert wish.admin_password == server["adminPass"]
    assert (wish.name, wish.flavor_id, wish.image_id) == ("web", "1", IMAGE)
    assert (wish.min_count, wish.max_count) == (1, 1)
    assert wish.network_choice is NetworkChoice.AUTO


def test_password_is_kept_back_when_told_so():
    call = Caller(enable_instance_password=False)
    assert "adminPass" not in call("POST", "/servers", body(adminPass="s3cret")).json["server"]
    assert call.conductor.asked("boot")[0].admin_password == "s3cret"


def test_everything_at_once(call):
    wish = wish_of(
        call,
        body(
            {"group": OTHER, "same_host": [OTHER], "custom": {"a": 1}},
            flavorRef="http://openstack.example.com/flavors/42",
            key_name="k",
            networks=[{"uuid": NETWORK.upper(), "fixed_ip": "10.0.0.9", "tag": "nic"}],
            security_groups=[{"name": "web"}, {"name": "web"}],
            user_data="aGk=",
            config_drive="yes",
            metadata={"a": "b"},
            tags=["red", "blue", "red"],
            description="a server",
            hostname="web.example.com",
            availability_zone="zone1",
            accessIPv4="192.0.2.1",
            accessIPv6="fd00::1",
            **{"OS-DCF:diskConfig": "MANUAL"},
        ),
    )
    assert wish.flavor_id == "42"
    assert wish.networks[0].network_id == NETWORK
    assert (wish.networks[0].fixed_ip, wish.networks[0].tag) == ("10.0.0.9", "nic")
    assert wish.security_groups == ("web",)
    assert wish.config_drive is True
    assert wish.tags == ("red", "blue")
    assert wish.availability_zone == "zone1"
    assert wish.auto_disk_config is False
    assert wish.scheduler_hints == {"group": [OTHER], "same_host": [OTHER], "custom": ['{"a": 1}']}
    assert (wish.hostname, wish.description, wish.user_data) == ("web.example.com", "a server", "aGk=")


def test_several_and_reservation(call):
    answer = call("POST", "/servers", body(min_count="2", max_count=3, return_reservation_id=True))
    assert answer.json == {"reservation_id": "r-abcdefgh"}
    wish = call.conductor.asked("boot")[0]
    assert (wish.min_count, wish.max_count) == (2, 3)


def test_how_many_servers_and_interfaces_is_bounded(call):
    interface = {"uuid": NETWORK}
    assert "at most 10000" in refused(call, body(min_count="10001"))
    told = refused(call, body(networks=[interface] * 25), code=403)
    assert told.startswith("Maximum number of ports exceeded")
    wish = wish_of(call, body(networks=[interface] * 24, max_count=10**30))
    assert (len(wish.networks), wish.max_count) == (24, 10_000)


def test_before_2_37_networks_may_be_left_out_and_files_injected(call):
    document = body(personality=[{"path": "/etc/motd", "contents": "aGk="}])
    del document["server"]["networks"]
    wish = wish_of(call, document, "2.1")
    assert wish.network_choice is NetworkChoice.AUTO
    assert wish.personality == {"/etc/motd": "aGk="}
    assert wish.description == "web"


def test_v2_takes_more(call):
    document = body(name=" web ", colour="red", user_data=None)
    del document["server"]["networks"]
    answer = call("POST", f"/v2/{PROJECT}/servers", document)
    assert answer.headers["Location"] == f"http://localhost/v2/{PROJECT}/servers/{SERVER}"
    assert call.conductor.asked("boot")[0].name == "web"


def test_no_networks(call):
    assert wish_of(call, body(networks="none")).network_choice is NetworkChoice.NONE


@pytest.mark.parametrize(
    ("text", "forced"),
    [("z:h1", ("z", "h1", None)), ("z:h1:n1", ("z", "h1", "n1")), ("z::n1", ("z", None, "n1"))],
)
def test_admins_may_force_a_host(call, text, forced):
    wish = wish_of(call, body(availability_zone=text), admin=True)
    assert (wish.availability_zone, wish.forced_host, wish.forced_node) == forced


def test_requested_host_is_for_admins(call):
    wish = wish_of(call, body(host="h1", hypervisor_hostname="n1"), admin=True)
    assert (wish.requested_host, wish.requested_node) == ("h1", "n1")


@pytest.mark.parametrize("asked", [{"availability_zone": "z:h1"}, {"host": "h1"}])
def test_members_may_not_name_hosts(call, asked):
    assert "Policy doesn't allow" in refused(call, body(**asked), 403)


@pytest.mark.parametrize(
    "asked",
    [
        {"min_count": 3, "max_count": 2},
        {"imageRef": ""},
        {"availability_zone": "a:b:c:d"},
        {"networks": [{}]},
        {"networks": [{"port": OTHER, "fixed_ip": "10.0.0.1"}]},
        {"networks": [{"port": OTHER}], "max_count": 2},
        {"networks": [{"uuid": NETWORK, "fixed_ip": "10.0.0.1"}], "max_count": 2},
        {"hostname": "one-name", "max_count": 2},
        {"user_data": "A" * 65536},
        {"tags": [str(n) for n in range(51)]},
        {"networks": "some"},
    ],
)
def test_what_cannot_be_is_refused(call, asked):
    assert refused(call, body(**asked))


def test_missing_image_is_refused(call):
    document = body()
    del document["server"]["imageRef"]
    assert refused(call, document) == "Missing imageRef attribute"


def test_block_devices(call):
    wish = wish_of(
        call,
        body(
            block_device_mapping_v2=[
                {"source_type": "image", "destination_type": "local", "uuid": IMAGE, "boot_index": 0},
                {
                    "source_type": "blank",
                    "destination_type": "local",
                    "guest_format": "swap",
                    "volume_size": 64,
                },
                {"source_type": "blank", "volume_size": "2", "boot_index": "-1", "tag": "scratch"},
                {"source_type": "volume", "no_device": True},
            ]
        ),
    )
    root, swap, scratch = wish.block_devices
    assert root.is_root
    assert (swap.is_swap, swap.size_mb) == (True, 64), "megabytes, as clients mean it"
    assert (scratch.size_gb, scratch.tag, scratch.destination) == (2, "scratch", Destination.LOCAL)


ROOT_DISK = {"boot_index": 0, "uuid": IMAGE, "source_type": "image", "destination_type": "local"}
BLANK_DISK = {"source_type": "blank", "destination_type": "local", "volume_size": 1}


def test_a_tag_names_one_device_of_its_kind(call):
    disks = [ROOT_DISK | {"tag": "data"}, BLANK_DISK | {"tag": "data"}]
    assert "Tag 'data' is given to more than one disk" in refused(call, body(block_device_mapping_v2=disks))
    ports = [{"uuid": NETWORK, "tag": "data"}, {"uuid": NETWORK, "tag": "data"}]
    assert "Tag 'data' is given to more than one network interface" in refused(call, body(networks=ports))
    both = body(
        block_device_mapping_v2=[ROOT_DISK | {"tag": "data"}, BLANK_DISK],
        networks=[{"uuid": NETWORK, "tag": "data"}, {"uuid": NETWORK, "tag": "Data"}, {"uuid": NETWORK}],
    )
    assert call("POST", "/servers", both).status_code == 202


def test_boot_from_volume_without_image(call):
    wish = wish_of(
        call,
        body(
            imageRef="",
            block_device_mapping_v2=[
                {"source_type": "volume", "destination_type": "volume", "uuid": OTHER, "boot_index": 0}
            ],
        ),
    )
    assert wish.image_id is None
    assert (wish.block_devices[0].source, wish.block_devices[0].volume_id) == (Source.VOLUME, OTHER)
    assert wish.block_devices[0].delete_on_termination is False


@pytest.mark.parametrize(
    "items",
    [
        [{"source_type": "blank", "destination_type": "local", "uuid": OTHER}],
        [{"source_type": "volume", "destination_type": "volume"}],
        [{"source_type": "volume", "destination_type": "local", "uuid": OTHER}],
        [{"source_type": "image", "destination_type": "local", "uuid": OTHER, "boot_index": 0}],
        [{"source_type": "image", "destination_type": "volume", "uuid": OTHER, "boot_index": 0}],
        [{"source_type": "volume", "uuid": OTHER, "boot_index": 2}],
        [{"source_type": "blank", "volume_size": 1, "volume_type": "fast"}],
        [{"source_type": "blank", "volume_size": 1}] * 4,
        [{"destination_type": "local"}],
    ],
)
def test_contradicting_block_devices_are_refused(call, items):
    assert "Block Device Mapping is Invalid" in refused(call, body(block_device_mapping_v2=items))


def test_both_forms_of_mappings_are_refused(call):
    asked = {
        "block_device_mapping": [{"volume_id": OTHER}],
        "block_device_mapping_v2": [{"source_type": "volume", "uuid": OTHER}],
    }
    assert "not allowed in the same request" in refused(call, body(**asked))
