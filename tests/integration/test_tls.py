"""TLS as operators write it (``doc/source/installing.rst``): who is not vouched for is not spoken to."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nova.clock import Clock
from nova.conf import load
from nova.context import system_context
from nova.daemon import Surroundings
from nova.db import words
from nova.db.engine import Database
from nova.errors import Unavailable
from nova.errors.admin import ImageServiceAmiss
from nova.errors.database import DatabaseUnavailable
from nova.errors.http import IdentityUnavailable
from nova.identity.keystone import KeystoneProver
from nova.identity.principal import Credentials
from nova.image.base import ImageQuery
from nova.image.choice import image_store
from nova.image.probe import probe
from nova.objects.host import HostSnapshot
from nova.rpc.client import ClientOptions, make_client
from nova.rpc.contracts.conductor import Conductor
from nova.rpc.contracts.scheduler import Scheduler
from nova_tools.ports import free_port
from nova_tools.processes import Program
from nova_tools.services.mariadb import MariaDB
from nova_tools.services.postgresql import PostgreSQL
from tests.support.certificates import Authority, Pair
from tests.support.glance import glance
from tests.support.hearing import Hearing
from tests.support.keystone import PASSWORD, RunningKeystone, keystone
from tests.support.rabbitmq import Broker
from tests.support.services import running, scratch_directory
from tests.support.tls_front import tls_front


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    with scratch_directory("tls") as made:
        yield made


@pytest.fixture(scope="module")
def authority(directory: Path) -> Authority:
    return Authority(directory)


@pytest.fixture(scope="module")
def stranger(directory: Path) -> Authority:
    """Somebody who vouches for none of our servers."""
    return Authority(directory, "stranger")


@pytest.fixture(scope="module")
def pair(authority: Authority) -> Pair:
    return authority.sign()


def options(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "nova.conf"
    file.write_text(text)
    return file


def command(program: str, conf: Path, *line: str) -> subprocess.CompletedProcess[str]:
    """Run a command as an operator does: on green threads, which bring a TLS of their own."""
    return subprocess.run(
        [sys.executable, "-m", f"nova.cmd.{program}", "--config-file", str(conf), *line],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def synced(tmp_path: Path, url: str) -> bool:
    """Tell whether ``nova-manage db sync`` ends well on a URL."""
    conf = options(tmp_path, f"[database]\nconnection = {url}\n")
    return command("manage.main", conf, "db", "sync").returncode == 0


def asked(url: str, question: str) -> str:
    """Ask a database through nova's own connections."""
    db = Database(url, patience_s=2)
    try:
        return str(db.read(lambda tx: tx.driver(question, []).fetchone())[-1])
    finally:
        db.close()


def refused(url: str) -> str:
    """Return why a database is not spoken to."""
    with pytest.raises(DatabaseUnavailable) as told:
        asked(url, "SELECT 1")
    return words.fault(told.value) or ""


def test_mariadb(
    directory: Path, authority: Authority, stranger: Authority, pair: Pair, tmp_path: Path
) -> None:
    server = MariaDB(directory=directory / "mariadb", port=free_port(), durable=False)
    server.prepare()
    tls = (f"--ssl-cert={pair.certificate}", f"--ssl-key={pair.key}", "--require-secure-transport=ON")
    program = server.program()
    with running(server.directory, replace(program, argv=(*program.argv, *tls))):
        server.create("nova")
        url = f"{server.url('nova')}&ssl_ca={authority.file}"
        named = url.replace("@127.0.0.1:", "@localhost:")
        assert synced(tmp_path, f"{url}&ssl_check_hostname=true")
        for good in (url, f"{url}&ssl_check_hostname=true", f"{named}&ssl_check_hostname=false"):
            assert asked(good, "SHOW STATUS LIKE 'Ssl_cipher'") != ""
        assert "certificate verify failed" in refused(f"{server.url('nova')}&ssl_ca={stranger.file}")
        for other in (named, f"{named}&ssl_check_hostname=true"):
            assert "Hostname mismatch" in refused(other)
        assert "nothing.pem" in refused(f"{server.url('nova')}&ssl_ca=/nothing.pem")


def test_postgresql(
    directory: Path, authority: Authority, stranger: Authority, pair: Pair, tmp_path: Path
) -> None:
    server = PostgreSQL(directory=directory / "postgres", port=free_port(), durable=False)
    server.prepare()
    own = Pair(
        Path(shutil.copy(pair.certificate, server.directory)), Path(shutil.copy(pair.key, server.directory))
    )
    for file in (own.certificate, own.key):
        shutil.chown(file, "postgres", "postgres")
    (server.directory / "data/pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 trust\n")
    settings = ("ssl=on", f"ssl_cert_file={own.certificate}", f"ssl_key_file={own.key}")
    program = server.program()
    tls = tuple(word for setting in settings for word in ("-c", setting))
    with running(server.directory, replace(program, argv=(*program.argv, *tls))):
        server.create("nova")
        url = f"{server.url('nova')}?sslmode=verify-full&sslrootcert="
        question = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        assert synced(tmp_path, f"{url}{authority.file}")
        assert asked(f"{url}{authority.file}", question) == "True"
        assert "certificate verify failed" in refused(f"{url}{stranger.file}")
        other = url.replace("@127.0.0.1:", "@localhost:") + str(authority.file)
        assert "does not match host name" in refused(other)
        assert "nothing.pem" in refused(f"{url}/nothing.pem")
        assert "no encryption" in refused(f"{server.url('nova')}?sslmode=disable")


@pytest.fixture(scope="module")
def bus(directory: Path, authority: Authority, pair: Pair) -> Iterator[int]:
    """Run a RabbitMQ that speaks TLS with those whom the authority vouches for; give its port."""
    home, port = directory / "rabbitmq", free_port()
    broker = Broker(home)
    with (home / "rabbitmq.conf").open("a") as file:
        file.write(
            f"listeners.ssl.1 = 127.0.0.1:{port}\nssl_options.cacertfile = {authority.file}\n"
            f"ssl_options.certfile = {pair.certificate}\nssl_options.keyfile = {pair.key}\n"
            "ssl_options.verify = verify_peer\nssl_options.fail_if_no_peer_cert = true\n"
        )
    try:
        broker.start()
        yield port
    finally:
        broker.stop()


FILES = "ssl_ca_file = {ca}\nssl_cert_file = {cert}\nssl_key_file = {key}\n"
WAYS = {
    "by option": ("rabbit://guest:guest@127.0.0.1:{port}/", "[rpc]\nssl = true\n" + FILES),
    "by URL": ("rabbit://guest:guest@127.0.0.1:{port}/?ssl=1", "[rpc]\n" + FILES),
    "as it was": ("rabbit://guest:guest@127.0.0.1:{port}/", "[oslo_messaging_rabbit]\nssl = true\n" + FILES),
    "by the library": ("oslo+rabbit://guest:guest@127.0.0.1:{port}/", "[rpc]\nssl = true\n" + FILES),
    "by the library, as it was": (
        "oslo+rabbit://guest:guest@127.0.0.1:{port}/", "[oslo_messaging_rabbit]\nssl = true\n" + FILES,
    ),
}  # fmt: skip


def _surroundings(way: str, tmp_path: Path, port: int, pair: Pair, ca: Path) -> Surroundings:
    url, text = WAYS[way]
    text = text.format(ca=ca, cert=pair.certificate, key=pair.key)
    file = options(tmp_path, f"[DEFAULT]\ntransport_url = {url.format(port=port)}\n{text}")
    return Surroundings(load(["--config-file", str(file)]))


@pytest.mark.parametrize("way", WAYS)
def test_rabbitmq(way: str, tmp_path: Path, bus: int, authority: Authority, pair: Pair) -> None:
    surroundings = _surroundings(way, tmp_path, bus, pair, authority.file)
    endpoint = Hearing()
    server = surroundings.server(Scheduler, endpoint)
    server.start()
    try:
        made = surroundings.client(Scheduler)
        assert made.any.ping(system_context("req-1")).host == "req-1"
        made.all.hosts_changed(system_context("req-2"), HostSnapshot(position=1))
        assert endpoint.heard.wait(20)
    finally:
        server.stop(5)
        surroundings.close()


def test_a_daemon_over_rabbitmq(tmp_path: Path, bus: int, authority: Authority, pair: Pair) -> None:
    surroundings = _surroundings("by option", tmp_path, bus, pair, authority.file)
    conf = tmp_path / "nova.conf"
    with conf.open("a") as file:
        file.write(f"[database]\nconnection = sqlite:///{tmp_path}/nova.sqlite\n")
        file.write(f"[health]\nports = nova-conductor:{free_port()}\n")
    assert command("manage.main", conf, "db", "sync").returncode == 0
    asking = make_client(
        Conductor, surroundings.transport, surroundings.rpc_metrics, options=ClientOptions(broker_wait_s=1)
    )

    def answers() -> bool:
        try:
            return asking.any.ping(system_context("req-1")).binary == "nova-conductor"
        except Unavailable:
            return False

    argv = (sys.executable, "-m", "nova.cmd.conductor", "--config-file", str(conf))
    try:
        with running(tmp_path, Program(name="nova-conductor", argv=argv, ready=answers)):
            pass  # it became ready
    finally:
        surroundings.close()


@pytest.mark.parametrize("way", ["by option", "by URL", "as it was"])
def test_a_rabbitmq_that_is_not_vouched_for(
    way: str, tmp_path: Path, bus: int, stranger: Authority, pair: Pair
) -> None:
    surroundings = _surroundings(way, tmp_path, bus, pair, stranger.file)
    try:
        hasty = make_client(
            Scheduler,
            surroundings.transport,
            surroundings.rpc_metrics,
            options=ClientOptions(broker_wait_s=1),
        )
        with pytest.raises(Unavailable) as told:
            hasty.any.ping(system_context("req-1"))
    finally:
        surroundings.close()
    assert "certificate verify failed" in str(told.value.__cause__)


@pytest.fixture(scope="module")
def identity(authority: Authority, pair: Pair) -> Iterator[tuple[RunningKeystone, str]]:
    """Run Keystone and Glance behind TLS; give the Keystone and its ``https`` URL."""
    front, images = free_port(), free_port()
    public = f"https://127.0.0.1:{front}"
    with (
        keystone(public_endpoint=public) as server,
        tls_front(pair, server.server.port, port=front),
        glance(server, cafile=authority.file) as store,
        tls_front(pair, store.port, port=images),
    ):
        server.register("image", "glance", f"https://127.0.0.1:{images}")
        server.register("identity", "keystone", f"{public}/v3")
        yield server, f"{public}/v3"


def credentials(group: str, url: str, cafile: Path) -> str:
    return (
        f"[{group}]\nauth_type = password\nauth_url = {url}\nusername = nova\npassword = {PASSWORD}\n"
        "project_name = service\nuser_domain_name = Default\nproject_domain_name = Default\n"
        f"cafile = {cafile}\n"
    )


def test_keystone(
    identity: tuple[RunningKeystone, str], tmp_path: Path, authority: Authority, stranger: Authority
) -> None:
    running_keystone, url = identity
    token = running_keystone.token("demo").value

    def prove(cafile: Path) -> str:
        text = credentials("keystone_authtoken", url, cafile)
        prover = KeystoneProver(load([], [str(options(tmp_path, text))]), Clock())
        return prover.prove(Credentials(token=token)).principal.user_name

    assert prove(authority.file) == "demo"
    with pytest.raises(IdentityUnavailable):
        prove(stranger.file)


def test_glance(
    identity: tuple[RunningKeystone, str], tmp_path: Path, authority: Authority, stranger: Authority
) -> None:
    _, url = identity
    trusting = load([], [str(options(tmp_path, credentials("glance", url, authority.file)))])
    assert image_store(trusting).list(ImageQuery()) == []
    assert "https://" in probe(trusting)
    conf = options(
        tmp_path,
        f"[database]\nconnection = sqlite:///{tmp_path}/nova.sqlite\n"
        + credentials("glance", url, authority.file),
    )
    assert "SUCCESS  images: https://" in command("status", conf, "upgrade", "check").stdout
    wary = load([], [str(options(tmp_path, credentials("glance", url, stranger.file)))])
    with pytest.raises(Unavailable):
        image_store(wary).list(ImageQuery())
    with pytest.raises(ImageServiceAmiss, match="certificate verify failed"):
        probe(wary)
