"""The packet rules of guests: as text against a golden file, and accepted by the real ``nft``."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nova.errors.virt import ActionFailed
from nova.objects.ids import VifId
from nova.objects.network import FilterRule, GuestFilter, Vif
from nova.privsep.nft import Nft
from nova.virt.libvirt.filter_rules import MARKS, TABLE, bridge_table, link_local
from nova.virt.libvirt.firewall import Firewall
from nova.virt.libvirt.store import Store
from tests.support.guests import a_vif, an_id
from tests.support.netns import Namespace, namespace

GOLDEN = Path(__file__).parents[3] / "golden" / "guest_filters" / "rich.nft"
WORLD = ("0.0.0.0/0", "::/0")


def vif(number: int, **changes: object) -> Vif:
    return a_vif(number, id=VifId(f"{number:08x}-0000-4000-8000-000000000000"), **changes)


RICH = (
    GuestFilter(
        instance_id=an_id(1),
        vifs=(vif(1, addresses=("10.0.0.4", "fd00::4")), vif(2, gateway=None, dhcp_server=None)),
        rules=(
            FilterRule(protocol="tcp", from_port=22, to_port=22, cidrs=WORLD),
            FilterRule(protocol="TCP ", from_port=8000, to_port=8100, cidrs=("10.1.0.0/16", "10.1.2.3/32")),
            FilterRule(protocol="udp", from_port=-1, to_port=-1, cidrs=("192.0.2.7/24",)),
            FilterRule(protocol="icmp", from_port=8, to_port=-1, cidrs=WORLD),
            FilterRule(protocol="icmp", from_port=-1, to_port=-1, cidrs=("10.0.0.0/8",)),
            FilterRule(protocol="tcp", from_port=80, to_port=80, cidrs=()),
            FilterRule(protocol="47", cidrs=("10.0.0.0/8",)),
            FilterRule(protocol="nonsense", cidrs=WORLD),
            FilterRule(cidrs=("10.0.0.9/32", "10.0.0.8/32")),
        ),
    ),
    GuestFilter(instance_id=an_id(2), vifs=(vif(3, addresses=()),)),
)


@pytest.fixture(scope="module")
def net() -> object:
    with namespace("rules") as made:
        yield made


def accepted(net: Namespace, text: str) -> None:
    net.inside(lambda: Nft().replace("bridge", TABLE, text))


def test_golden(net: Namespace) -> None:
    text = bridge_table(RICH) + "\n"
    if os.environ.get("NOVA_REGOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()
    accepted(net, text)
    net.inside(lambda: Nft().replace("inet", TABLE, MARKS))


def test_no_guests_no_rules(net: Namespace) -> None:
    accepted(net, bridge_table(()))


def test_link_local_address() -> None:
    assert link_local("fa:16:3e:00:00:01") == "fe80::f816:3eff:fe00:1"


rules = st.builds(
    FilterRule,
    protocol=st.sampled_from([None, "tcp", "udp", "icmp", "icmpv6", "TCP", "any", "132", "999", "x; drop"]),
    from_port=st.none() | st.integers(-2, 70000),
    to_port=st.none() | st.integers(-2, 300),
    cidrs=st.lists(
        st.sampled_from(
            ["garbage", *WORLD, "10.0.0.0/8", "10.0.0.0/9", "10.0.0.5/32", "fd00::/8", "fd00::1/128"]
        )
    ).map(tuple),
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(rules, max_size=12).map(tuple))
def test_whatever_the_groups_say_the_kernel_takes_it(net: Namespace, said: tuple[FilterRule, ...]) -> None:
    accepted(net, bridge_table([GuestFilter(instance_id=an_id(1), vifs=(vif(1),), rules=said)]))


def test_a_thousand_ranges_fit(net: Namespace) -> None:
    many = tuple(f"10.{n // 250}.{n % 250}.1/32" for n in range(1200))
    text = bridge_table([GuestFilter(instance_id=an_id(1), vifs=(vif(1),), rules=(FilterRule(cidrs=many),))])
    accepted(net, text)


def test_rules_survive_a_restart_and_others_keep_theirs(net: Namespace, tmp_path: Path) -> None:
    store = Store(tmp_path)
    for number in (1, 2):
        store.create(an_id(number))
    one, two = (
        GuestFilter(instance_id=an_id(1), vifs=(vif(1),)),
        GuestFilter(instance_id=an_id(2), vifs=(vif(2),)),
    )

    def check() -> None:
        firewall = Firewall(store, Nft(), "h")
        firewall.start()
        firewall.apply([one])
        firewall.apply([two])
        again = Firewall(store, Nft(), "h")
        again.start()
        table = Nft().listing("bridge", TABLE) or ""
        assert one.vifs[0].device in table and two.vifs[0].device in table
        again.forget(an_id(1))
        table = Nft().listing("bridge", TABLE) or ""
        assert one.vifs[0].device not in table and two.vifs[0].device in table

    net.inside(check)


filters = st.builds(
    GuestFilter,
    instance_id=st.sampled_from([an_id(1), an_id(2)]),
    vifs=st.lists(st.sampled_from([1, 2, 3]), unique=True, max_size=2).map(tuple),
    rules=st.lists(st.sampled_from(RICH[0].rules), max_size=3).map(tuple),
)


class CountingNft(Nft):
    """Remembers which tables were replaced whole."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[str] = []

    def replace(self, family: str, table: str, body: str) -> None:
        self.tables.append(family)
        super().replace(family, table, body)


def chains_of(table: str | None) -> dict[str, list[str]]:
    """Return what the kernel has, whatever the order of chains and of elements."""
    found: dict[str, list[str]] = {}
    for part in (table or "").split("\n\t}\n"):
        lines = [line.strip().rstrip("{").strip() for line in part.replace("\n\t\t\t", " ").splitlines()]
        lines = [line for line in lines if line and not line.startswith("table")]
        if lines:
            found[lines[0]] = sorted(" ".join(lines[1:]).replace(",", " ").split())
    return found


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(filters | st.sampled_from([an_id(1), an_id(2)]), max_size=8))
def test_changes_lead_where_the_whole_table_leads(
    net: Namespace, tmp_path_factory: pytest.TempPathFactory, steps: list[GuestFilter | str]
) -> None:
    store = Store(tmp_path_factory.mktemp("instances"))
    for number in (1, 2):
        store.create(an_id(number))
    counting = CountingNft()
    firewall = Firewall(store, counting, "h")

    def numbered(guarded: GuestFilter) -> GuestFilter:
        """Two guests never have one interface."""
        base = 10 if guarded.instance_id == an_id(1) else 20
        return msgspec.structs.replace(guarded, vifs=tuple(vif(base + int(str(n))) for n in guarded.vifs))

    def check() -> None:
        firewall.start()
        for step in steps:
            if isinstance(step, GuestFilter):
                firewall.apply([numbered(step)])
            else:
                firewall.forget(an_id(1) if step == an_id(1) else an_id(2))
        assert counting.tables == ["inet", "bridge"], "no change needed the whole table"
        changed = Nft().listing("bridge", TABLE)
        kept = [f for n in (1, 2) if (f := firewall.of(an_id(n))) is not None]
        Nft().replace("bridge", TABLE, bridge_table(kept))
        assert chains_of(changed) == chains_of(Nft().listing("bridge", TABLE))

    net.inside(check)


def test_a_table_that_somebody_removed_is_made_anew(net: Namespace, tmp_path: Path) -> None:
    store = Store(tmp_path)
    for number in (1, 2):
        store.create(an_id(number))
    one, two = (GuestFilter(instance_id=an_id(n), vifs=(vif(n),)) for n in (1, 2))

    def check() -> None:
        firewall = Firewall(store, Nft(), "h")
        firewall.start()
        firewall.apply([one])
        Nft().remove("bridge", TABLE)
        firewall.apply([two])
        table = Nft().listing("bridge", TABLE) or ""
        assert one.vifs[0].device in table and two.vifs[0].device in table

    net.inside(check)


def test_a_word_that_comes_after_the_end_leaves_nothing(net: Namespace, tmp_path: Path) -> None:
    firewall = Firewall(Store(tmp_path), Nft(), "h")
    net.inside(lambda: firewall.apply([GuestFilter(instance_id=an_id(1), vifs=(vif(1),))]))
    assert firewall.of(an_id(1)) is None and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "changes",
    [{"mac": "x } ; flush ruleset"}, {"addresses": ("10.0.0.4; drop",)}, {"dhcp_server": "any"}],
)
def test_malformed_words_never_reach_the_kernel(tmp_path: Path, changes: dict[str, object]) -> None:
    hostile = GuestFilter(instance_id=an_id(1), vifs=(vif(1, **changes),))
    with pytest.raises(ActionFailed, match="malformed"):
        Firewall(Store(tmp_path), Nft(), "h").apply([hostile])
