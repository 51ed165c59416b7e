"""A metadata service of a few guests in its own process: ``metadata_guests.py MODE PORT [OPTION=VALUE]``.

The threads are chosen before anything else is imported, as the daemons do it.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from nova import concurrency

concurrency.start(sys.argv[1])

from typing import Any  # noqa: E402

from nova.api.metadata.daemon import make_server  # noqa: E402
from nova.clock import Clock  # noqa: E402
from nova.conf.metadata import MetadataConf  # noqa: E402
from nova.objects.flavor import Flavor  # noqa: E402
from nova.objects.guest import GuestSpec  # noqa: E402
from nova.objects.metadata import GuestMetadata  # noqa: E402
from nova.objects.network import Vif  # noqa: E402

ADDRESSES = ("127.0.0.11", "127.0.0.12", "127.0.0.13")


def guest(address: str) -> GuestMetadata:
    vif = Vif(
        id="22222222-2222-4222-8222-222222222222",
        mac="fa:16:3e:00:00:01",
        network_id="net",
        label="private",
        addresses=(address,),
        cidr="127.0.0.0/8",
    )
    spec = GuestSpec(
        id=f"11111111-1111-4111-8111-0000000000{address[-2:]}",
        name="web",
        hostname="web",
        project_id="project",
        user_id="user",
        flavor=Flavor(id="1", name="f", vcpus=1, ram_mb=64, root_gb=1),
        vifs=(vif,),
        user_data="aGVsbG8=",
    )
    return GuestMetadata(guest=spec, instance_id=spec.id, ec2_instance_id="i-00000001")


class Conductor:
    """Knows the guests."""

    def __init__(self) -> None:
        self._guests = {address: guest(address) for address in ADDRESSES}

    def metadata_by_address(self, ctx: Any, address: str) -> GuestMetadata | None:
        del ctx
        return self._guests.get(address)

    def metadata_by_id(self, ctx: Any, instance: str) -> GuestMetadata | None:
        del ctx
        return next((md for md in self._guests.values() if md.guest.id == instance), None)

    def put_guest_password(self, ctx: Any, address: str, password: str) -> bool:
        del ctx, address, password
        return True


def main() -> None:
    options: dict[str, Any] = {"burst": 150, "rate": 1}
    for word in sys.argv[3:]:
        name, _, value = word.partition("=")
        options[name] = (value,) if name == "trusted_proxies" else True if value == "yes" else value
    conf = MetadataConf(listen="127.0.0.1", port=int(sys.argv[2]), **options)
    server = make_server(conf, Conductor(), Clock())
    server.start()
    print("ready", flush=True)
    # Until the test hangs up.
    concurrency.in_native_thread(sys.stdin.read)
    server.stop(1.0)


if __name__ == "__main__":
    main()
