"""The servers resource in front of a conductor that records what it is asked."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
import webob

from nova.api.compute import app, servers
from nova.clock import StoppedClock
from nova.conf.api import ApiConf
from nova.conf.policy import PolicyConf
from nova.errors.servers import InstanceNotFound
from nova.identity.noauth import NoAuth
from nova.objects.flavor import Flavor
from nova.objects.image import Image
from nova.objects.instance import Booted, Instance, InstancePage
from nova.objects.network import Vif
from nova.objects.states import Power, Vm

PROJECT = "aaaa1111"
SERVER = "0e44cc9c-e052-415d-afbf-469b0d384170"
OTHER = "11111111-e052-415d-afbf-469b0d384170"
IMAGE = "70a599e0-31e7-49b7-b260-868f441e862b"
NETWORK = "22222222-31e7-49b7-b260-868f441e862b"
NOW = datetime.datetime(2030, 1, 1, 12, 0, 5, 250, tzinfo=datetime.UTC)


def instance(**changes: Any) -> Instance:
    """An active instance of the caller's."""
    known: dict[str, Any] = {
        "id": SERVER,
        "project_id": PROJECT,
        "user_id": "joe",
        "display_name": "web",
        "hostname": "web",
        "vm_state": Vm.ACTIVE,
        "power_state": Power.RUNNING,
        "flavor": Flavor(
            id="1", name="m1.tiny", vcpus=1, ram_mb=512, root_gb=1, extra_specs={"hw:cpu_policy": "shared"}
        ),
        "image": Image(id=IMAGE, properties={"hw_machine_type": "q35", "colour": "red"}),
        "metadata": {"a": "b"},
        "tags": ("blue", "red"),
        "vifs": (
            Vif(
                id="3f000000-0000-4000-8000-000000000001",
                mac="fa:16:3e:00:00:01",
                network_id=NETWORK,
                label="private",
                addresses=("10.0.0.5", "fd00::5"),
                floating={"10.0.0.5": ("192.0.2.9",)},
            ),
        ),
        "security_groups": ("default",),
        "availability_zone": "nova",
        "host": "h1",
        "node": "h1",
        "host_status": "UP",
        "created_at": NOW,
        "launched_at": NOW,
    }
    return Instance(**(known | changes))


class RecordingConductor:
    """Knows some instances, answers what it was told to, and keeps every call."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.instances = {SERVER: instance()}
        self.answers: dict[str, Any] = {}
        self.errors: dict[str, Exception] = {}

    def __getattr__(self, name: str) -> Any:
        def answer(ctx: Any, *arguments: Any) -> Any:
            self.calls.append((name, arguments))
            if name in self.errors:
                raise self.errors[name]
            default = getattr(self, f"_{name}", None) if not name.startswith("_") else None
            if name in self.answers:
                return self.answers[name]
            return default(*arguments) if default else None

        if name.startswith("_"):
            raise AttributeError(name)
        return answer

    def _show_instance(self, wanted: str) -> Instance:
        if wanted not in self.instances:
            raise InstanceNotFound(id=wanted)
        return self.instances[wanted]

    def _update_instance(self, wanted: str, changes: Any) -> Instance:
        return self._show_instance(wanted)

    def _list_instances(self, query: Any) -> InstancePage:
        return InstancePage(instances=tuple(self.instances.values())[: query.limit])

    def _boot(self, wish: Any) -> Booted:
        return Booted(ids=(SERVER,), reservation_id="r-abcdefgh", admin_password=wish.admin_password)

    def asked(self, name: str) -> tuple[Any, ...]:
        """Return the arguments of the only call of a name."""
        (found,) = [arguments for called, arguments in self.calls if called == name]
        return found


class Caller:
    """Speaks to the site as one user."""

    def __init__(self, **options: Any) -> None:
        self.conductor = RecordingConductor()
        clock = StoppedClock()
        operations = servers.OPERATIONS
        parts = app.Parts(
            settings=ApiConf(**options),
            conductor=self.conductor,
            identity=NoAuth(),
            policy=app.policy_of(PolicyConf(), clock, operations),
            clock=clock,
        )
        self.site = app.build(parts, operations=operations)

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        version: str = "latest",
        user: str = f"joe:{PROJECT}",
    ) -> webob.Response:
        request = webob.Request.blank(path if path.startswith("/v2/") else f"/v2.1{path}", method=method)
        request.headers["X-Auth-Token"] = user
        if version:
            request.headers["OpenStack-API-Version"] = f"compute {version}"
        if body is not None:
            request.body = json.dumps(body).encode()
            request.content_type = "application/json"
        return request.get_response(self.site)

    def admin(self, method: str, path: str, body: Any = None, *, version: str = "latest") -> webob.Response:
        return self(method, path, body, version=version, user=f"admin:{PROJECT}")


@pytest.fixture
def call() -> Caller:
    return Caller()
