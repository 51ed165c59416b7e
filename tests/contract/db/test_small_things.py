"""Flavors, key pairs, groups, tokens and numbers."""

from __future__ import annotations

import concurrent.futures

import msgspec
import pytest

from nova import ids
from nova.db import (
    console_tokens,
    ec2_ids,
    fixed_ips,
    flavors,
    guest_passwords,
    instances,
    keypairs,
    networks,
    security_groups,
    server_groups,
)
from nova.db.engine import Database, Tx
from nova.db.fixed_ips import AddressWant
from nova.errors.database import Duplicate
from nova.objects.console import ConsoleAuthorization
from nova.objects.keypair import KeyPair
from nova.objects.network import FilterRule, SecurityGroup, SecurityRule
from nova.objects.placement import GroupNeed
from nova.objects.server_group import ServerGroup
from nova.objects.states import Vm
from tests.contract.db.makers import FLAVOR, NOW, ShownClock, at, instance, network


def test_flavors_and_their_access(db: Database, clock: ShownClock) -> None:
    private = msgspec.structs.replace(FLAVOR, id="2", name="secret", is_public=False, created_at=NOW)
    for one in (FLAVOR, private):
        db.run(lambda tx, one=one: flavors.insert(tx, one))
    with pytest.raises(Duplicate):
        db.run(lambda tx: flavors.insert(tx, msgspec.structs.replace(FLAVOR, id="3")))
    assert db.read(flavors.all_flavors) == [FLAVOR, private]
    assert db.read(lambda tx: flavors.visible_to(tx, "p1")) == [FLAVOR]
    db.run(lambda tx: flavors.grant(tx, "2", "p1"))
    with pytest.raises(Duplicate):
        db.run(lambda tx: flavors.grant(tx, "2", "p1"))
    assert db.read(lambda tx: flavors.visible_to(tx, "p1")) == [FLAVOR, private]
    assert db.read(lambda tx: flavors.access(tx, "2")) == ["p1"]
    assert db.read(lambda tx: flavors.granted(tx, ["1", "2"], "p1")) == {"2"}
    clock.show(1)
    described = db.run(
        lambda tx: flavors.edit(tx, "1", lambda f: msgspec.structs.replace(f, description="d"))
    )
    assert described is not None and described == db.read(lambda tx: flavors.get(tx, "1"))
    assert (described.description, described.updated_at) == ("d", at(1))
    assert db.run(lambda tx: flavors.revoke(tx, "2", "p1"))
    assert not db.run(lambda tx: flavors.revoke(tx, "2", "p1"))
    db.run(lambda tx: flavors.grant(tx, "2", "p1"))
    assert db.run(lambda tx: flavors.delete(tx, "2"))
    assert db.read(lambda tx: flavors.access(tx, "2")) == []
    assert db.read(lambda tx: flavors.get(tx, "2")) is None


def test_keypairs(db: Database) -> None:
    def make(name: str) -> KeyPair:
        one = KeyPair(
            user_id="u1", name=name, public_key="ssh-ed25519 A", fingerprint="aa:bb", created_at=NOW
        )
        db.run(lambda tx: keypairs.insert(tx, one))
        return one

    for name in ("c", "a", "b"):
        make(name)
    with pytest.raises(Duplicate):
        make("a")
    found = db.read(lambda tx: keypairs.of_user(tx, "u1"))
    assert [k.name for k in found] == ["a", "b", "c"]
    assert db.read(lambda tx: keypairs.of_user(tx, "u1", marker="a", limit=1)) == [found[1]]
    shown = db.read(lambda tx: keypairs.get(tx, "u1", "a"))
    assert shown == found[0] and shown.id > 0
    assert db.read(lambda tx: keypairs.get(tx, "u2", "a")) is None
    assert db.run(lambda tx: keypairs.delete(tx, "u1", "a"))
    assert not db.run(lambda tx: keypairs.delete(tx, "u1", "a"))


def group(db: Database, policy: str, **values: object) -> ServerGroup:
    made = ServerGroup(id=ids.new_uuid(), name="g", policy=policy, project_id="p1", user_id="u1", **values)  # type: ignore[arg-type]
    db.run(lambda tx: server_groups.insert(tx, made))
    return made


def seat(db: Database, to: ServerGroup, *hosts: str) -> tuple[list[str], set[str]]:
    new = [ids.new_uuid() for _ in hosts]
    assert db.run(lambda tx: server_groups.join(tx, to.id, new))
    pairs = list(zip(new, hosts, strict=True))
    won = db.run(lambda tx: server_groups.join_hosts(tx, to, pairs))
    assert db.run(lambda tx: server_groups.join_hosts(tx, to, pairs)) == won
    return new, won


def test_anti_affinity_keeps_apart(db: Database) -> None:
    apart = group(db, "anti-affinity")
    new, won = seat(db, apart, "h1", "h1", "h2")
    assert won == {new[0], new[2]}
    assert seat(db, apart, "h1")[1] == set()
    needed = db.read(lambda tx: server_groups.need(tx, apart.id))
    assert needed == GroupNeed(id=apart.id, policy="anti-affinity", hosts={"h1": 1, "h2": 1})
    assert db.read(lambda tx: server_groups.need(tx, ids.new_uuid())) is None
    assert not db.run(lambda tx: server_groups.occupy(tx, apart.id, new[1], "h2"))
    assert db.run(lambda tx: server_groups.occupy(tx, apart.id, new[1], "h3"))
    db.run(lambda tx: server_groups.vacate(tx, [new[1]]))
    db.run(lambda tx: server_groups.vacate(tx, [new[0]]))
    assert db.read(lambda tx: server_groups.hosts_of(tx, apart.id)) == {"h2": 1}
    assert len(seat(db, apart, "h1")[1]) == 1
    pairs = group(db, "anti-affinity", max_per_host=2)
    assert len(seat(db, pairs, "h1", "h1", "h1")[1]) == 2


def test_affinity_keeps_together(db: Database) -> None:
    together = group(db, "affinity")
    new, won = seat(db, together, "h1", "h1")
    assert len(won) == 2
    assert seat(db, together, "h2")[1] == set()
    db.run(lambda tx: server_groups.leave(tx, new))
    assert len(seat(db, together, "h2")[1]) == 1


def test_groups_with_their_members(db: Database) -> None:
    one = group(db, "soft-affinity")
    other = group(db, "soft-anti-affinity", max_per_host=3)
    new, won = seat(db, one, "h1", "h2", "h1")
    assert len(won) == 3
    shown = db.read(lambda tx: server_groups.get(tx, one.id))
    assert shown == msgspec.structs.replace(one, members=tuple(sorted(new)))
    assert db.read(lambda tx: server_groups.list_groups(tx, "p1")) == [shown, other]
    assert len(db.read(server_groups.list_groups)) == 2
    assert not db.run(lambda tx: server_groups.join(tx, one.id, [ids.new_uuid()], limit=3))
    assert db.run(lambda tx: server_groups.join(tx, one.id, [ids.new_uuid()], limit=4))
    assert db.run(lambda tx: server_groups.delete(tx, one.id))
    assert not db.run(lambda tx: server_groups.join(tx, one.id, [ids.new_uuid()]))
    assert db.read(lambda tx: server_groups.get(tx, one.id)) is None


def test_security_groups_and_what_they_let_through(db: Database) -> None:
    web = SecurityGroup(id=ids.new_uuid(), name="web", project_id="p1", description="d")
    db.run(lambda tx: security_groups.insert(tx, web))
    with pytest.raises(Duplicate):
        db.run(lambda tx: security_groups.insert(tx, msgspec.structs.replace(web, id=ids.new_uuid())))
    found = db.run(lambda tx: security_groups.resolve(tx, "p1", ["default", web.id, "nope"]))
    assert set(found) == {"default", web.id}
    default = found["default"]
    assert db.run(lambda tx: security_groups.resolve(tx, "p1", ["default"])) == {"default": default}
    assert db.run(lambda tx: security_groups.resolve(tx, "p2", [web.id])) == {}
    rules = [
        SecurityRule(id=ids.new_uuid(), protocol="tcp", from_port=80, to_port=81, cidr="10.0.0.0/8"),
        SecurityRule(id=ids.new_uuid(), source_group_id=default),
    ]
    db.run(lambda tx: security_groups.add_rules(tx, web.id, rules))
    (shown,) = db.read(lambda tx: security_groups.get(tx, [web.id]))
    assert {(r.protocol, r.source_group_name) for r in shown.rules} == {("tcp", None), (None, "default")}
    assert [g.name for g in db.read(lambda tx: security_groups.list_groups(tx, "p1"))] == ["default", "web"]

    net, guarded, friend = network(), ids.new_uuid(), ids.new_uuid()
    with db.tx() as tx:
        networks.insert(tx, net)
        wishes = [
            AddressWant(instance_id=i, vif_id=ids.new_uuid(), mac=ids.new_mac(), network_id=net.id, host=h)
            for i, h in ((guarded, "h1"), (friend, "h2"))
        ]
        fixed_ips.allocate(tx, wishes)
        security_groups.join(tx, [(web.id, guarded), (default, friend), (web.id, guarded)])
    filters = db.read(lambda tx: security_groups.filter_rules(tx, [guarded, friend]))
    assert filters[friend] == (FilterRule(cidrs=("10.0.0.2/32",)),), "those of the default group may talk"
    assert set(filters[guarded]) == {
        FilterRule(protocol="tcp", from_port=80, to_port=81, cidrs=("10.0.0.0/8",)),
        FilterRule(cidrs=("10.0.0.2/32",)),
    }
    assert db.read(lambda tx: security_groups.hosts_affected(tx, [default])) == ["h1", "h2"]
    assert db.read(lambda tx: security_groups.in_use(tx, web.id))
    assert db.run(lambda tx: security_groups.delete_rule(tx, rules[0].id)) == web.id
    assert db.run(lambda tx: security_groups.delete_rule(tx, rules[0].id)) is None
    assert db.run(lambda tx: security_groups.leave(tx, [guarded], web.id)) == 1
    assert db.run(lambda tx: security_groups.leave(tx, [guarded, friend])) == 1
    assert db.run(lambda tx: security_groups.update(tx, web.id, "www", "e"))
    assert db.run(lambda tx: security_groups.delete(tx, default))
    (shown,) = db.read(lambda tx: security_groups.get(tx, [web.id]))
    assert shown == SecurityGroup(id=web.id, name="www", project_id="p1", description="e")


def test_console_tokens_end(db: Database, clock: ShownClock) -> None:
    access = ConsoleAuthorization(
        instance_id=ids.new_uuid(), protocol="vnc", type="novnc", host="h1", port=5900, expires_in_s=600.0
    )
    token, second = ids.new_token(), ids.new_token()
    for one in (token, second):
        db.run(lambda tx, one=one: console_tokens.insert(tx, one, access))
    assert db.read(lambda tx: console_tokens.get(tx, token, 600.0)) == access
    assert db.read(lambda tx: console_tokens.get(tx, "guess", 600.0)) is None
    clock.show(599)
    later = db.read(lambda tx: console_tokens.get(tx, token, 600.0))
    assert later is not None and later.expires_in_s == pytest.approx(1.0)
    assert db.run(lambda tx: console_tokens.drop_token(tx, second))
    assert db.run(lambda tx: console_tokens.expire(tx, 10)) == 0
    clock.show(600)
    assert db.read(lambda tx: console_tokens.get(tx, token, 600.0)) is None
    assert db.run(lambda tx: console_tokens.expire(tx, 10)) == 1
    assert db.run(lambda tx: console_tokens.drop(tx, [access.instance_id])) == 0


def test_no_token_is_left_of_what_is_deleted_at_the_same_time(db: Database) -> None:
    for _ in range(8):
        guest = instance()
        db.run(lambda tx, guest=guest: instances.insert(tx, [guest]))
        access = ConsoleAuthorization(
            instance_id=guest.id, protocol="vnc", type="novnc", host="h1", port=5900, expires_in_s=600.0
        )

        def keep(tx: Tx, access: ConsoleAuthorization = access) -> bool:
            found = instances.hold(tx, access.instance_id) is not None
            if found:
                console_tokens.insert(tx, ids.new_token(), access)
            return found

        def end(tx: Tx, access: ConsoleAuthorization = access) -> bool:
            gone = instances.Swap(id=access.instance_id, vm=Vm.DELETED, deleted_at=tx.now)
            instances.swap(tx, [gone])
            console_tokens.drop(tx, [access.instance_id])
            return True

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(db.run, [keep, keep, keep, end, keep, keep, keep, keep]))
        assert not db.run(keep)
        assert db.run(lambda tx, access=access: console_tokens.drop(tx, [access.instance_id])) == 0


def test_numbers_never_change(db: Database) -> None:
    some = [ids.new_uuid() for _ in range(3)]
    given = db.run(lambda tx: ec2_ids.numbers(tx, "instance", some[:2]))
    again = db.run(lambda tx: ec2_ids.numbers(tx, "instance", some))
    assert {uuid: again[uuid] for uuid in some[:2]} == given
    assert len(set(again.values())) == 3
    assert db.read(lambda tx: ec2_ids.uuids(tx, "instance", list(again.values()))) == {
        n: u for u, n in again.items()
    }
    assert db.read(lambda tx: ec2_ids.uuids(tx, "image", list(again.values()))) == {}


def test_what_services_look_up(db: Database) -> None:
    net = network(gateway="10.0.0.1")
    guests = [instance(host=host, node=host) for host in ("h1", "h2", "h2")]
    groups = [SecurityGroup(id=ids.new_uuid(), name=n, project_id="p1") for n in ("web", "sql")]
    rule = SecurityRule(id=ids.new_uuid(), source_group_id=groups[0].id)

    def work(tx: Tx) -> None:
        networks.insert(tx, net)
        instances.insert(tx, guests)
        wishes = [
            AddressWant(
                instance_id=g.id, vif_id=ids.new_uuid(), mac=ids.new_mac(), network_id=net.id, host=g.host
            )
            for g in guests
        ]
        fixed_ips.allocate(tx, wishes)
        for group in groups:
            security_groups.insert(tx, group)
        security_groups.add_rules(tx, groups[1].id, [rule])
        security_groups.join(tx, [(groups[0].id, guests[0].id), (groups[1].id, guests[1].id)])

    db.run(work)
    affected = db.read(lambda tx: security_groups.guests_affected(tx, [groups[0].id]))
    assert affected == {"h1": [guests[0].id], "h2": [guests[1].id]}
    assert db.read(lambda tx: security_groups.members(tx, groups[1].id)) == [guests[1].id]
    assert db.read(lambda tx: security_groups.group_of_rule(tx, rule.id)) == groups[1].id
    named = db.read(lambda tx: instances.names_on(tx, ["h2", "h3"]))
    assert sorted(named) == sorted((g.id, "web-1", "h2", "h2") for g in guests[1:])
    assert not db.run(lambda tx: fixed_ips.clear(tx, net.id)), "somebody holds an address of it"
    db.run(lambda tx: fixed_ips.release(tx, [g.id for g in guests]))
    assert db.run(lambda tx: fixed_ips.clear(tx, net.id))
    assert db.read(fixed_ips.counts) == {}
    assert [db.run(lambda tx, h=h: networks.take(tx, net, h)) for h in ("h1", "h2")] == [True, False]
    taken = db.read(lambda tx: networks.get(tx, net.id))
    assert taken is not None and taken.host == "h1"
    assert db.read(lambda tx: ec2_ids.known(tx, "instance", [guests[0].id])) == {}
    numbers = db.run(lambda tx: ec2_ids.numbers(tx, "instance", [guests[0].id]))
    assert db.read(lambda tx: ec2_ids.known(tx, "instance", [guests[0].id])) == numbers


def test_guests_tell_a_password_once(db: Database) -> None:
    db.run(lambda tx: guest_passwords.insert(tx, "i1", "secret"))
    with pytest.raises(Duplicate):
        db.run(lambda tx: guest_passwords.insert(tx, "i1", "other"))
    assert db.read(lambda tx: [guest_passwords.get(tx, i) for i in ("i1", "i2")]) == ["secret", ""]
    assert [db.run(lambda tx: guest_passwords.clear(tx, "i1")) for _ in range(2)] == [True, False]
