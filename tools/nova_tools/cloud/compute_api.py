"""The few calls of the Compute API that setting up and proving a cloud takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nova_tools.api_client import ApiError, request

Server = dict[str, Any]


@dataclass(frozen=True)
class ComputeApi:
    """The API as one user sees it."""

    url: str
    token: str

    def ask(self, method: str, path: str, body: object = None, version: str = "2.1") -> Any:
        """Send one request at a microversion. Raises :class:`ApiError`."""
        headers = {"OpenStack-API-Version": f"compute {version}", "X-OpenStack-Nova-API-Version": version}
        return request(method, f"{self.url}/{path}", token=self.token, body=body, headers=headers)

    def ensure_flavor(self, name: str, *, vcpus: int, ram: int, disk: int) -> str:
        """Return the id of the flavor with this name, made when it is missing."""
        for flavor in self.ask("GET", "flavors/detail?is_public=None")["flavors"]:
            if flavor["name"] == name:
                return str(flavor["id"])
        facts = {"name": name, "vcpus": vcpus, "ram": ram, "disk": disk}
        return str(self.ask("POST", "flavors", {"flavor": facts})["flavor"]["id"])

    def ensure_key_pair(self, name: str, public_key: str) -> None:
        """Import a public key under a name; another key of that name is replaced."""
        for entry in self.ask("GET", "os-keypairs")["keypairs"]:
            if entry["keypair"]["name"] == name:
                if entry["keypair"]["public_key"].split()[:2] == public_key.split()[:2]:
                    return
                self.ask("DELETE", f"os-keypairs/{name}")
        self.ask("POST", "os-keypairs", {"keypair": {"name": name, "public_key": public_key}})

    def open_default_group(self) -> None:
        """Let ping and ssh through to servers of the default security group. Idempotent."""
        groups = self.ask("GET", "os-security-groups")["security_groups"]
        group = next(group for group in groups if group["name"] == "default")
        known = {(rule["ip_protocol"], rule["from_port"]) for rule in group["rules"]}
        for protocol, first, last in (("icmp", -1, -1), ("tcp", 22, 22)):
            if (protocol, first) not in known:
                rule = {
                    "parent_group_id": group["id"], "ip_protocol": protocol, "from_port": first,
                    "to_port": last, "cidr": "0.0.0.0/0",
                }  # fmt: skip
                self.ask("POST", "os-security-group-rules", {"security_group_rule": rule})

    def network_labels(self) -> set[str]:
        """Return the names of the networks."""
        return {network["label"] for network in self.ask("GET", "os-networks")["networks"]}

    def find_server(self, name: str) -> Server | None:
        """Return a server of this name, None when there is none."""
        found = self.ask("GET", f"servers/detail?name=^{name}$")["servers"]
        return dict(found[0]) if found else None

    def boot(self, name: str, *, image: str, flavor: str, key: str) -> Server:
        """Ask for a server on whatever network there is."""
        facts = {"name": name, "imageRef": image, "flavorRef": flavor, "key_name": key, "networks": "auto"}
        made = self.ask("POST", "servers", {"server": facts}, version="2.37")
        return self.show(made["server"]["id"])

    def show(self, server_id: str) -> Server:
        return dict(self.ask("GET", f"servers/{server_id}", version="2.37")["server"])

    def act(self, server_id: str, action: str, body: object = None) -> Any:
        """Send an action to a server."""
        return self.ask("POST", f"servers/{server_id}/action", {action: body})

    def console_output(self, server_id: str, lines: int) -> str:
        """Return the last lines the server wrote to its serial line."""
        return str(self.act(server_id, "os-getConsoleOutput", {"length": lines})["output"])

    def hosts_up(self) -> int:
        """Count the compute hosts that are up."""
        try:
            services = self.ask("GET", "os-services?binary=nova-compute")["services"]
        except (ApiError, OSError):
            return 0
        return sum(service["state"] == "up" and service["status"] == "enabled" for service in services)


def address_of(server: Server) -> str | None:
    """Return the first IPv4 address of a server."""
    for addresses in server["addresses"].values():
        for entry in addresses:
            if entry["version"] == 4:
                return str(entry["addr"])
    return None
