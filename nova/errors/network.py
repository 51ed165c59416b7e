"""Errors of networks on hosts."""

from __future__ import annotations

from nova.errors import Conflict, NovaError, Unsupported


class TopologyUnsupported(Unsupported):
    """This release cannot make networks of that kind."""

    template = (
        "Network {network} cannot be made on host {host}: networks of kind {topology} are not supported."
    )


class NetworkUnusable(Conflict):
    """The network's own values contradict each other."""

    template = "Network {network} cannot be made: {reason}"


class NetworkNotHere(NovaError):
    """A host was ordered to serve a network that is not among those it should have."""

    template = "Network {network} is not one of those that host {host} should serve."


class NetworkSetupFailed(NovaError):
    """The machine refused a part of a network."""

    template = "Network {network} could not be made on host {host}: {reason}"


class ForeignServer(Conflict):
    """The folder of a network belongs to a server in another network namespace."""

    template = "{folder} is in use by process {pid} of another network namespace; set networks_path."


class AddressHeld(Conflict):
    """Another program listens where a network's DHCP server must."""

    template = (
        "{address} port {port} on {bridge} is held by {holder}, which is none of ours;"
        " end it, or give the network another range."
    )
