"""The machine as a router: forwarding, and the metadata address as one of its own."""

from __future__ import annotations

from pathlib import Path

from nova.network.options import METADATA_ADDRESS
from nova.privsep.files import set_kernel_switch
from nova.privsep.links import SCOPE_LINK, Links

_FORWARD = Path("/proc/sys/net/ipv4/ip_forward")


class Routes:
    """Routing of this network namespace."""

    def __init__(self, links: Links, forward_switch: Path = _FORWARD) -> None:
        self._links = links
        self._switch = forward_switch

    def forward(self) -> list[str]:
        """Let packets pass between devices.  Never switched off again: others may need it."""
        if self._switch.read_text().strip() == "1":
            return []
        set_kernel_switch(self._switch, "1")
        return ["forwarding switched on"]

    def serve_metadata(self) -> list[str]:
        """Own the metadata address, so that guests that look for it on their wire get an answer to ARP."""
        done = ["device lo switched on"] if self._links.set_up("lo") else []
        if self._links.add_address("lo", f"{METADATA_ADDRESS}/32", scope=SCOPE_LINK):
            done.append(f"address {METADATA_ADDRESS} put on lo")
        return done

    def drop_metadata(self) -> list[str]:
        """Give the metadata address up."""
        if self._links.remove_address("lo", f"{METADATA_ADDRESS}/32"):
            return [f"address {METADATA_ADDRESS} taken off lo"]
        return []
