"""The whole machine: brings a host to its plan, network by network."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from nova.errors import NovaError
from nova.errors.network import NetworkSetupFailed
from nova.network.linux.bridge import Bridges
from nova.network.linux.dhcp import Dhcp
from nova.network.linux.firewall import Firewall
from nova.network.linux.routes import Routes
from nova.network.options import NetworkOptions
from nova.network.plan import HostPlan
from nova.objects.holdings import NetworkHoldings
from nova.objects.ids import HostName, NetworkId
from nova.privsep.links import Links
from nova.privsep.nft import Nft

_LOG = logging.getLogger(__name__)


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """How a plan went onto the machine."""

    changes: tuple[str, ...] = ()
    """What had to be changed, in words."""
    failed: dict[NetworkId, NovaError] = {}
    """Networks that are not as they should be, and why."""


class Machine:
    """This host.  One thread at a time."""

    def __init__(self, options: NetworkOptions, host: HostName, links: Links | None = None) -> None:
        links = links or Links()
        self._host = host
        self._bridges = Bridges(links, host)
        self._routes = Routes(links)
        self._firewall = Firewall(Nft(options.nft_program), options.firewall_table)
        self.dhcp = Dhcp(options)
        self._made = Path(options.networks_path) / "made"
        self._before: HostPlan | None = None
        self._indexes: dict[str, int] = {}

    def apply(self, plan: HostPlan, *, look: bool) -> Applied:
        """Make the machine as planned.

        With ``look`` the machine is looked at and repaired whatever we think of it; without, only what
        differs from the last plan is touched (but for dnsmasq, whose life is cheap to check).  A network that
        fails does not hold up the others; all fail with the packet rules, which they share.
        """
        changes: list[str] = []
        failed: dict[NetworkId, NovaError] = dict(plan.refused)
        if not plan.bridges and not self._made.exists():
            # Nothing wanted and nothing ever made: no need of root, programs or time.
            self._before = plan
            return Applied(failed=failed)
        before = None if look else self._before
        look = before is None
        self._mark()
        for bridge in plan.bridges:
            if before is None or bridge not in before.bridges:
                with self._guarded(bridge.networks, failed):
                    changes += self._bridges.apply(bridge)
                    self._indexes[bridge.name] = self._bridges.index(bridge.name)
        with self._guarded(plan.networks, failed):
            changes += self._shared(plan, look)
        moved = before is None or before.networks != plan.networks
        if moved:
            # Before others start: they may want the address of one that goes.
            with self._guarded((), failed):
                changes += self.dhcp.remove_unplanned(d.network for d in plan.dhcp)
        for dhcp in plan.dhcp:
            if dhcp.network not in failed:
                with self._guarded((dhcp.network,), failed):
                    changes += self.dhcp.apply(dhcp, self._indexes.get(dhcp.bridge, 0))
        if moved:
            with self._guarded((), failed):
                changes += self._clear(plan)
        # After a failure nothing is taken for granted: the next time looks.
        self._before = plan if failed.keys() == plan.refused.keys() else None
        return Applied(changes=tuple(changes), failed=failed)

    def holdings(self, host: HostName) -> NetworkHoldings:
        """Tell what the DHCP servers of this machine give out, and which of them do not run."""
        entries, strays = self.dhcp.holdings()
        return NetworkHoldings(host=host, entries=entries, strays=strays)

    def _shared(self, plan: HostPlan, look: bool) -> list[str]:
        changes: list[str] = []
        if look and plan.serves_metadata:
            changes += self._routes.serve_metadata()
        changes += self._firewall.apply(plan.rules, look=look)
        # Only once the rules stand: a router without them would let guests out under false addresses.
        if look and plan.forwards:
            changes += self._routes.forward()
        return changes

    def _clear(self, plan: HostPlan) -> list[str]:
        changes = self._bridges.remove_unplanned(b.name for b in plan.bridges)
        if not plan.serves_metadata:
            changes += self._routes.drop_metadata()
        if not plan.bridges:
            self._made.unlink(missing_ok=True)
        return changes

    def _mark(self) -> None:
        """Note that this host has something of ours, for a life after this one."""
        if not self._made.exists():
            self._made.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            self._made.touch()

    @contextlib.contextmanager
    def _guarded(self, networks: Iterable[NetworkId], failed: dict[NetworkId, NovaError]) -> Iterator[None]:
        try:
            yield
        except (NovaError, OSError) as error:
            _LOG.error("a part of the host's networks could not be made: %s", error)
            for network in networks:
                reason = str(error)
                failed.setdefault(
                    network, NetworkSetupFailed(network=network, host=self._host, reason=reason)
                )
