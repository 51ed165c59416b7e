"""Keeping the packet rules of this host's guests in force."""

from __future__ import annotations

import ipaddress
import logging
import re
import threading
from collections.abc import Sequence
from pathlib import Path

from nova.errors.host import CommandFailed, CommandTimedOut, ProgramMissing
from nova.errors.virt import ActionFailed
from nova.objects.ids import InstanceId
from nova.objects.network import GuestFilter
from nova.privsep import files
from nova.privsep.nft import Nft
from nova.privsep.run import run
from nova.virt.libvirt.filter_rules import MARKS, TABLE, bridge_table
from nova.virt.libvirt.store import Store

LOG = logging.getLogger(__name__)
_SWITCHES = tuple(
    Path(f"/proc/sys/net/bridge/bridge-nf-call-{family}") for family in ("iptables", "ip6tables")
)
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_DEVICE = re.compile(r"tap[0-9a-f-]{1,12}")


class Firewall:
    """The table ``nova-guests``: always whole, replaced at once, rebuilt from the store after a restart."""

    def __init__(self, store: Store, nft: Nft, host: str) -> None:
        self._store = store
        self._nft = nft
        self._host = host
        self._filters: dict[InstanceId, GuestFilter] = {}
        self._lock = threading.Lock()

    def start(self) -> None:
        """Put in force what was in force before; guests that run meanwhile are guarded all the time."""
        with self._lock:
            self._filters = self._store.filters()
            self._track_bridged_packets()
            self._replace("inet", MARKS)
            self._render(self._filters)

    def apply(self, filters: Sequence[GuestFilter]) -> None:
        """Change the rules of these guests; the others keep theirs.  All or nothing.

        A guest that is not here (any more) is passed over: the word may be older than its end.
        """
        for guarded in filters:
            _check(guarded, self._host)
        with self._lock:
            filters = [f for f in filters if self._store.directory(f.instance_id).is_dir()]
            wanted = self._filters | {guarded.instance_id: guarded for guarded in filters}
            self._render(wanted)
            self._filters = wanted
            for guarded in filters:
                self._store.write_filter(guarded)

    def forget(self, instance_id: InstanceId) -> None:
        """Drop the rules of a guest that is gone."""
        with self._lock:
            if instance_id in self._filters:
                wanted = {key: kept for key, kept in self._filters.items() if key != instance_id}
                self._render(wanted)
                self._filters = wanted

    def of(self, instance_id: InstanceId) -> GuestFilter | None:
        """Return what is in force for a guest."""
        return self._filters.get(instance_id)

    def _render(self, filters: dict[InstanceId, GuestFilter]) -> None:
        self._replace("bridge", bridge_table(filters.values()))

    def _replace(self, family: str, body: str) -> None:
        try:
            self._nft.replace(family, TABLE, body)
        except (CommandFailed, CommandTimedOut, ProgramMissing) as error:
            LOG.error("The packet rules were refused: %s", error)
            raise ActionFailed(
                action="filter", host=self._host, reason="the packet rules could not be put in force"
            ) from error

    def _track_bridged_packets(self) -> None:
        if not _SWITCHES[0].exists():
            try:
                run(["modprobe", "br_netfilter"], timeout_s=30)
            except (CommandFailed, CommandTimedOut, ProgramMissing) as error:
                LOG.debug("br_netfilter cannot be loaded: %s", error)
        missing = [switch.name for switch in _SWITCHES if not files.set_kernel_switch(switch, "1")]
        if missing:
            LOG.warning(
                "This kernel does not track bridged connections (no %s): answers between guests of one "
                "network are dropped unless a security group allows them",
                ", ".join(missing),
            )


def _check(guarded: GuestFilter, host: str) -> None:
    """Refuse what would be read as something else in the rules."""
    for vif in guarded.vifs:
        wrong = [word for word, form in ((vif.mac, _MAC), (vif.device, _DEVICE)) if not form.fullmatch(word)]
        for address in (*vif.addresses, vif.dhcp_server, vif.gateway):
            try:
                ipaddress.ip_interface(address or "0.0.0.0")
            except ValueError:
                wrong.append(str(address))
        if wrong:
            raise ActionFailed(action="filter", host=host, reason=f"{wrong[0]!r} is malformed")
