"""What a guest asks of the metadata service, through a proxy that proves who it is."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Protocol

from nova_tools.torture.asking import Asker
from nova_tools.torture.http_client import Doors
from nova_tools.torture.ledger import Entry, Ledger, Server


class Service(Protocol):
    """Where the metadata service is, and what its proxy signs with."""

    @property
    def ledger(self) -> Ledger: ...

    @property
    def metadata(self) -> Sequence[int]: ...

    @property
    def secret(self) -> str: ...


class Guest:
    """Asks for the guests of one client."""

    def __init__(self, number: int, project: str, service: Service) -> None:
        self._number = number
        self._ledger = service.ledger
        self._secret = service.secret.encode()
        self._asks = Asker(Doors(service.metadata, {"X-Tenant-ID": project}, below=""), service.ledger)

    def ask(self, server: Server) -> None:
        """Ask who this guest is; note an answer that another guest should have got, or none."""
        signature = hmac.new(self._secret, server.id.encode(), hashlib.sha256).hexdigest()
        headers = {"X-Instance-ID": server.id, "X-Instance-ID-Signature": signature}
        entry = Entry(kind="guest-asks", client=self._number, server=server.id)
        entry, answer = self._asks.ask(entry, "GET", "/openstack/latest/meta_data.json", headers=headers)
        if answer.status == 404 and not server.may_be_gone:
            self._ledger.complain(f"{entry.words()} found nothing, though nobody deleted it")
        if answer.status == 200 and answer.body["uuid"] != server.id:
            self._ledger.complain(f"{entry.words()} was told of {answer.body['uuid']}")
