"""``up``: the steps from a bare machine to a cloud with a first server."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from nova_tools import apt, guest_image, nova_conf, nova_manage, pythons
from nova_tools.accounts import standard_accounts
from nova_tools.api_client import password_token
from nova_tools.cloud import known
from nova_tools.cloud.first_server import FIRST, IMAGE, Demo
from nova_tools.cloud.parts import DATABASE, Cloud
from nova_tools.cloud.proving import Proof
from nova_tools.identity_seed import Seeder, Service
from nova_tools.installing import guest_step, installing_steps, template_steps
from nova_tools.places import CHECKOUT
from nova_tools.processes import Program
from nova_tools.progress import Progress
from nova_tools.pythons import CLIENTS, IDENTITY, NOVA
from nova_tools.stamps import Stamps
from nova_tools.steps import Step, run_steps


class BringUp:
    """Brings one cloud up; every step may run again at any moment."""

    def __init__(self, cloud: Cloud, progress: Progress) -> None:
        self._cloud = cloud
        self._progress = progress
        self._supervisor = cloud.supervisor
        self._demo = Demo(cloud)
        self._proof: Proof | None = None

    def run(self) -> Proof:
        """Do all steps; return what was seen of the first server."""
        started = time.monotonic()
        steps = [*self._install(), *self._backing(), *self._nova(), *self._first_server()]
        run_steps(steps, Stamps(self._cloud.places.stamps), self._progress)
        pythons.tidy(self._cloud.places)
        assert self._proof is not None
        self._progress.say(f"\nThe cloud is up, {time.monotonic() - started:.0f} s after the start.")
        return self._proof

    def install(self) -> None:
        """Do only what needs the network: packages, environments, images and fresh databases."""
        run_steps(self._install(), Stamps(self._cloud.places.stamps), self._progress)

    def _install(self) -> list[Step]:
        places, settings = self._cloud.places, self._cloud.settings
        packages = {*apt.GUEST_BUILD, *apt.NETWORK, *apt.CLOUD, *apt.HYPERVISOR}
        if settings.split:
            packages |= {*apt.RABBITMQ, *(apt.MARIADB if settings.database == "mariadb" else apt.POSTGRESQL)}
        return [
            *installing_steps(packages, [IDENTITY, NOVA, CLIENTS], places),
            *template_steps(places),
            guest_step(places),
        ]

    def _backing(self) -> list[Step]:
        cloud = self._cloud
        steps = [
            Step(name="keystone", title="Keystone", after=("template-keystone",), run=self._keystone),
            Step(name="glance", title="Glance", after=("template-glance",), run=self._glance),
            Step(
                name="image",
                title="Image in Glance",
                after=("keystone", "glance", "guest-image"),
                run=self._image,
            ),
        ]
        server = cloud.database
        if server is not None:
            steps.append(Step(name="database", title="Database server", after=("apt",), run=self._database))
        if cloud.settings.split:
            steps.append(Step(name="rabbitmq", title="RabbitMQ", after=("apt",), run=self._rabbitmq))
        if cloud.settings.driver == "libvirt":
            steps.append(Step(name="libvirtd", title="libvirt", after=("apt",), run=self._libvirt))
        return steps

    def _nova(self) -> list[Step]:
        return [
            Step(name="conf", title="nova.conf", run=self._conf),
            Step(
                name="schema",
                title="Database schema",
                after=("conf", "venv-nova", "database"),
                run=self._schema,
            ),
            Step(name="network", title="Network of the guests", after=("schema",), run=self._network),
            # Not after Keystone: they ask for it with the first request, and both starts take processor time.
            Step(
                name="nova",
                title="Nova's daemons",
                after=("network", "rabbitmq", "libvirtd"),
                run=self._daemons,
            ),
        ]

    def _first_server(self) -> list[Step]:
        return [
            Step(
                name="demo",
                title="Flavors, key pair, ssh let in",
                after=("nova", "keystone"),
                run=self._furnish,
            ),
            Step(
                name="hosts", title="Compute hosts", after=("nova", "keystone"), run=self._demo.wait_for_hosts
            ),
            Step(
                name="boot",
                title="A first server",
                after=("demo", "hosts", "image", "venv-clients"),
                run=self._boot,
            ),
        ]

    def _keystone(self) -> str | None:
        cloud = self._cloud
        keystone = cloud.keystone
        keystone.prepare()
        self._supervisor.start(keystone.program())
        keystone.take_over()
        token = password_token(keystone.url, "admin", cloud.passwords["admin"], "admin").value
        accounts = standard_accounts(cloud.passwords)
        services = [
            Service("identity", "keystone", keystone.url),
            Service("image", "glance", cloud.glance.url),
            Service("compute", "nova", cloud.compute_url),
        ]

        def seed() -> None:
            Seeder(keystone.url, token).seed(accounts, services)

        known.once(cloud, "accounts", keystone.database, seed, accounts, services)
        keystone.warm_up(token)
        return keystone.url

    def _glance(self) -> str | None:
        self._cloud.glance.prepare()
        self._supervisor.start(self._cloud.glance.program())
        return self._cloud.glance.url

    def _image(self) -> str | None:
        image = guest_image.build(self._cloud.places.guest)
        token = self._demo.token("admin").value
        self._cloud.glance.store(token, IMAGE, image.disk, guest_image.GLANCE_PROPERTIES)
        return None

    def _database(self) -> str | None:
        server = self._cloud.database
        assert server is not None
        server.prepare()
        self._supervisor.start(server.program())
        server.create(DATABASE)
        return self._cloud.settings.database

    def _rabbitmq(self) -> str | None:
        self._cloud.rabbitmq.prepare()
        self._supervisor.start(self._cloud.rabbitmq.program())
        return None

    def _libvirt(self) -> str | None:
        self._cloud.libvirt.prepare()
        self._supervisor.start(self._cloud.libvirt.program())
        return None

    def _conf(self) -> str | None:
        self._cloud.write_conf()
        known.recall_machine(self._cloud)
        return str(self._cloud.conf_file)

    def _schema(self) -> str | None:
        cloud = self._cloud

        def sync() -> None:
            nova_manage.sync(cloud.nova_binary("nova-manage"), cloud.conf_file, cloud.places.logs)

        revisions = sorted((CHECKOUT / "alembic" / "versions").glob("*.py"))
        made = known.once(cloud, "schema", cloud.database_files, sync, *revisions)
        return None if made else "known to be there"

    def _network(self) -> str | None:
        network = nova_conf.guest_network(self._cloud.settings)
        made = known.once(self._cloud, "network", self._cloud.database_files, self._ensure_network, network)
        return network.cidr if made else f"{network.cidr}, known to be there"

    def _ensure_network(self) -> None:
        cloud = self._cloud
        network = nova_conf.guest_network(cloud.settings)
        nova_manage.ensure_network(
            cloud.nova_binary("nova-manage"), cloud.conf_file, cloud.places.logs, network
        )

    def _furnish(self) -> str | None:
        """Make what a first server needs; a network that somebody removed is made again."""
        if nova_conf.NETWORK_LABEL not in self._demo.api("admin").network_labels():
            self._ensure_network()
        return self._demo.prepare()

    def _daemons(self) -> str | None:
        programs: list[Program] = self._cloud.nova_programs()
        with ThreadPoolExecutor(len(programs)) as pool:
            list(pool.map(self._supervisor.start, programs))
        return ", ".join(program.name for program in programs)

    def _boot(self) -> str | None:
        server = self._demo.boot(FIRST)
        self._proof = self._demo.prove(server)
        return f"{self._proof.address}"
