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
from nova.privsep.nft import TIMEOUT_S, Nft
from nova.privsep.run import run
from nova.virt.libvirt.filter_rules import MARKS, TABLE, bridge_table, change
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
            self._replace("bridge", bridge_table(self._filters.values()))

    def apply(self, filters: Sequence[GuestFilter]) -> None:
        """Change the rules of these guests; the others keep theirs.  All or nothing.

        A guest that is not here (any more) is passed over: the word may be older than its end.
        """
        for guarded in filters:
            _check(guarded, self._host)
        with self._lock:
            here = {f.instance_id: f for f in filters if self._store.directory(f.instance_id).is_dir()}
            self._change(dict(here))
            for guarded in here.values():
                self._store.write_filter(guarded)

    def forget(self, instance_id: InstanceId) -> None:
        """Drop the rules of a guest that is gone."""
        with self._lock:
            if instance_id in self._filters:
                self._change({instance_id: None})

    def of(self, instance_id: InstanceId) -> GuestFilter | None:
        """Return what is in force for a guest."""
        return self._filters.get(instance_id)

    def _change(self, news: dict[InstanceId, GuestFilter | None]) -> None:
        """Put the news in force: by what differs, or by the whole table if that is not as we know it."""
        script = "\n".join(change(self._filters.get(key), new) for key, new in news.items())
        merged = self._filters | news
        wanted = {key: guarded for key, guarded in merged.items() if guarded is not None}
        try:
            run(["nft", "-f", "-"], stdin=f"{script}\n".encode(), timeout_s=TIMEOUT_S)
        except CommandFailed as error:
            LOG.warning("The packet rules were not as expected and are made anew: %s", error)
            self._replace("bridge", bridge_table(wanted.values()))
        except (CommandTimedOut, ProgramMissing) as error:
            raise self._failed(error) from error
        self._filters = wanted

    def _replace(self, family: str, body: str) -> None:
        try:
            self._nft.replace(family, TABLE, body)
        except (CommandFailed, CommandTimedOut, ProgramMissing) as error:
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> ActionFailed:
        LOG.error("The packet rules could not be put in force: %s", error)
        return ActionFailed(
            action="filter", host=self._host, reason="the packet rules could not be put in force"
        )

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
