"""The commands of somebody who may only look: what shows answers, what changes is refused with a sentence."""

from __future__ import annotations

import pytest

from tests.support import netns
from tests.support.clients import Clients

pytestmark = [
    pytest.mark.skipif(not netns.CAN_MAKE, reason="network namespaces need root"),
    pytest.mark.timeout(1500),
]

SHOWS = [
    "nova list",
    "nova show first",
    "nova server-tag-list first",
    "nova list-secgroup first",
    "nova interface-list first",
    "nova instance-action-list first",
    "nova flavor-list",
    "nova flavor-show m1.nano",
    "nova keypair-list",
    "nova limits",
    "nova quota-show",
    "nova quota-defaults",
    "nova availability-zone-list",
    "nova server-group-list",
    "nova version-list",
    "openstack server list --long",
    "openstack server show first",
    "openstack server event list first",
    "openstack server group list",
    "openstack flavor list --long",
    "openstack flavor show m1.nano",
    "openstack keypair list",
    "openstack image list",
    "openstack limits show --absolute",
    "openstack quota show --compute",
    "openstack availability zone list --compute",
    "openstack versions show --service compute",
]
CHANGES = [
    "nova boot --image tiny --flavor m1.nano --nic none x",
    "nova delete first",
    "nova stop first",
    "nova reboot first",
    "nova pause first",
    "nova suspend first",
    "nova lock first",
    "nova meta first set a=1",
    "nova server-tag-add first x",
    "nova update --name x first",
    "nova image-create first x",
    "nova get-vnc-console first novnc",
    "nova server-group-create x affinity",
    "nova flavor-create x auto 64 1 1",
    "nova aggregate-create x",
    "nova service-list",
    "nova hypervisor-list",
    "openstack server create --image tiny --flavor m1.nano --nic none x",
    "openstack server delete first",
    "openstack server stop first",
    "openstack server set --property a=1 first",
    "openstack server image create --name x first",
    "openstack console url show first",
    "openstack server group create --policy affinity x",
    "openstack flavor create --ram 64 --disk 1 --vcpus 1 x",
    "openstack aggregate create x",
    "openstack hypervisor list",
    "openstack compute service list",
]


@pytest.mark.parametrize("command", SHOWS)
def test_what_shows_answers(cli: Clients, command: str) -> None:
    cli(command, "reader")


@pytest.mark.parametrize("command", CHANGES)
def test_what_changes_is_refused_with_the_rule_that_says_so(cli: Clients, command: str) -> None:
    said = cli.refused(command, "reader")
    assert "Policy doesn't allow os_compute_api:" in said and "403" in said, said


def test_what_there_is_is_still_there(cli: Clients) -> None:
    shown = cli.json("openstack server show first")
    assert shown["status"] == "ACTIVE" and not shown["locked"] and shown["properties"] == {}
