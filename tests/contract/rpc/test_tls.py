"""TLS to the broker: both directions at once, a broker nobody vouches for, and several of which one lives."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from nova.rpc.transport import Address, Unreachable
from nova_tools.ports import free_port
from tests.contract.rpc.sites import Site, echo, listening, new_topic
from tests.support.rabbitmq import Broker


def _certificate(folder: Path) -> tuple[Path, Path]:
    """Make a key and a certificate for 127.0.0.1 that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = folder / "broker.crt", folder / "broker.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return certificate, secret


class _Ends:
    """One connection: TLS outside, the broker inside."""

    def __init__(self, context: ssl.SSLContext, inner: socket.socket, port: int) -> None:
        self._ours, self._theirs = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._session = context.wrap_bio(self._ours, self._theirs, server_side=True)
        self._lock = threading.Lock()
        self._outer = inner
        self._broker = socket.create_connection(("127.0.0.1", port))

    def run(self) -> None:
        threading.Thread(target=self._outwards, daemon=True).start()
        try:
            while data := self._outer.recv(65536):
                with self._lock:
                    self._ours.write(data)
                    plain = self._plain()
                    sealed = self._theirs.read()
                    if sealed:
                        self._outer.sendall(sealed)
                if plain:
                    self._broker.sendall(plain)
        except OSError:
            pass
        finally:
            for one in (self._outer, self._broker):
                one.close()

    def _plain(self) -> bytes:
        found = b""
        with suppress(ssl.SSLWantReadError):
            while piece := self._session.read(65536):
                found += piece
        return found

    def _outwards(self) -> None:
        with suppress(OSError):
            while data := self._broker.recv(65536):
                with self._lock:
                    self._session.write(data)
                    self._outer.sendall(self._theirs.read())
        self._outer.close()


@contextmanager
def _tls_in_front_of(port: int, certificate: Path, key: Path) -> Iterator[int]:
    """Listen with TLS and hand on to ``port``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with suppress(OSError):
            while True:
                inner, _ = listener.accept()
                threading.Thread(target=_Ends(context, inner, port).run, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


def test_calls_cross_tls_and_a_dead_broker_is_passed_over(broker: Broker, tmp_path: Path) -> None:
    certificate, key = _certificate(tmp_path)
    with _tls_in_front_of(broker.port, certificate, key) as port:
        dead = free_port()
        url = f"rabbit://guest:guest@127.0.0.1:{dead},guest:guest@127.0.0.1:{port}/"
        site = Site(url, {"ssl": True, "ssl_ca_file": str(certificate)})
        topic, client = new_topic(), site.transport()
        listening(site.transport(), topic, "one")
        bodies = [bytes([number]) * (50_000 * (number % 3) + 10) for number in range(60)]
        with ThreadPoolExecutor(8) as pool:
            answers = pool.map(lambda body: client.call(Address(topic), body, 60.0), bodies)
            assert [*answers] == [echo(body) for body in bodies]
        site.close()


def test_a_broker_that_nobody_vouches_for_is_not_spoken_to(broker: Broker, tmp_path: Path) -> None:
    certificate, key = _certificate(tmp_path)
    with _tls_in_front_of(broker.port, certificate, key) as port:
        site = Site(f"rabbit://guest:guest@127.0.0.1:{port}/?ssl=1")
        with pytest.raises(Unreachable, match="certificate verify failed"):
            site.transport().cast(Address("x"), b"secret")
        site.close()
