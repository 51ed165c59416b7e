"""A metadata service with a conductor of a few lines."""

from __future__ import annotations

import io

import msgspec
import pytest

from nova.api.metadata.daemon import make_app
from nova.clock import StoppedClock
from nova.conf.metadata import MetadataConf
from nova.objects.flavor import Flavor
from nova.objects.guest import GuestSpec
from nova.objects.metadata import GuestMetadata
from nova.objects.network import Vif


def a_guest(instance="11111111-1111-4111-8111-111111111111", address="10.0.0.5", **more):
    spec = {
        "id": instance,
        "name": "web",
        "hostname": "web",
        "project_id": "proj",
        "user_id": "user",
        "flavor": Flavor(id="1", name="m1.tiny", vcpus=1, ram_mb=64, root_gb=1),
        "vifs": (
            Vif(
                id="22222222-2222-4222-8222-222222222222",
                mac="fa:16:3e:00:00:01",
                network_id="net",
                label="private",
                addresses=(address,),
                cidr="10.0.0.0/24",
                dhcp_server="10.0.0.1",
            ),
        ),
        "key_name": "mine",
        "key_data": "ssh-ed25519 AAAA me",
        "user_data": "aGVsbG8=",
        "metadata": {"role": "db"},
        "reservation_id": "r-12345678",
    }
    guest = GuestSpec(**spec | more)
    return GuestMetadata(
        guest=guest, instance_id=guest.id, ec2_instance_id="i-00000001", security_groups=("default",)
    )


class Conductor:
    """Holds guests by address and remembers what it was asked."""

    def __init__(self, *guests):
        self.by_address = {address: md for md in guests for v in md.guest.vifs for address in v.addresses}
        self.asked = []
        self.error = None

    def metadata_by_address(self, ctx, address):
        self.asked.append(address)
        if self.error is not None:
            raise self.error
        return self.by_address.get(address)

    def metadata_by_id(self, ctx, instance):
        self.asked.append(instance)
        return next((md for md in self.by_address.values() if md.guest.id == instance), None)

    def put_guest_password(self, ctx, address, password):
        md = self.by_address[address]
        if md.password:
            return False
        self.by_address[address] = msgspec.structs.replace(md, password=password)
        return True


class Service:
    """The application, spoken to by WSGI."""

    def __init__(self, conductor, clock=None, **options):
        self.conductor = conductor
        self.clock = clock or StoppedClock()
        self.app = make_app(MetadataConf(**options), conductor, self.clock)

    def ask(self, path, *, peer="10.0.0.5", method="GET", body=b"", length=None, **headers):
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "REMOTE_ADDR": peer,
            "CONTENT_LENGTH": str(len(body)) if length is None else length,
            "wsgi.input": io.BytesIO(body),
        }
        environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
        said = {}

        def start_response(status, given):
            said["code"] = int(status.split()[0])
            said["headers"] = dict(given)

        said["body"] = b"".join(self.app(environ, start_response))
        return said["code"], said["body"], said["headers"]

    def code(self, path, **more):
        return self.ask(path, **more)[0]


@pytest.fixture
def conductor():
    return Conductor(
        a_guest(), a_guest("33333333-3333-4333-8333-333333333333", "10.0.0.6", project_id="other")
    )


@pytest.fixture
def service(conductor):
    return Service(conductor)
