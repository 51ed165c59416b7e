"""``tools/cloud``: the command line."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from typing import Any

from nova_tools.accounts import load_passwords
from nova_tools.cloud import machine, show, take_down
from nova_tools.cloud.bring_up import BringUp
from nova_tools.cloud.first_server import Demo
from nova_tools.cloud.parts import Cloud
from nova_tools.cloud.settings import DATABASES, DRIVERS, Settings, choose, load, store
from nova_tools.locks import only_one
from nova_tools.places import Places
from nova_tools.progress import Progress
from nova_tools.sentences import FORESEEN, explained
from nova_tools.trouble import Trouble

_DESCRIPTION = """\
A cloud on this machine.  State is kept in one directory, /var/lib/nova-cloud unless NOVA_CLOUD_HOME names
another; NOVA_CLOUD_PORT_OFFSET moves all ports of a new cloud.
"""


def main(arguments: list[str]) -> int:
    """Run ``tools/cloud``; return the exit code."""
    options = _parser().parse_args(arguments)
    places = Places.of_cloud()
    try:
        return int(options.run(options, places))
    except FORESEEN as error:
        print(f"\n{explained(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. Run it again: it goes on where it stopped.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tools/cloud", description=_DESCRIPTION)
    commands = parser.add_subparsers(required=True, metavar="command")

    up = commands.add_parser("up", help="set everything up, start it, boot and prove a first server")
    up.set_defaults(run=_up)
    # No defaults: what was not said is as the cloud that stands here already has it.
    up.add_argument(
        "--split", action="store_true", default=None, help="every daemon a process; RabbitMQ, MariaDB"
    )
    up.add_argument("--database", choices=DATABASES, help="with --split: mariadb (the default) or postgresql")
    up.add_argument("--driver", choices=DRIVERS, help="libvirt (the default) or fake")
    up.add_argument("--hosts", type=int, help="with --driver fake: how many compute hosts")
    up.add_argument("--address", help="where the APIs listen (127.0.0.1); 0.0.0.0 opens them to the network")
    up.add_argument(
        "--range", dest="guest_range", help="addresses of the guests, for instance 192.168.99.0/24"
    )
    up.add_argument(
        "--install-only",
        action="store_true",
        help="install what is needed and stop there: an 'up' afterwards needs no network",
    )

    status = commands.add_parser("status", help="each daemon: name, pid, health, port")
    status.set_defaults(run=_status)
    status.add_argument("--json", action="store_true", help="for scripts")

    logs = commands.add_parser("logs", help="the end of a daemon's log, or of all")
    logs.set_defaults(run=_logs)
    logs.add_argument("daemon", nargs="?")
    logs.add_argument("-n", "--lines", type=int, default=40)
    logs.add_argument("-f", "--follow", action="store_true")

    env = commands.add_parser("env", help='print export lines: eval "$(tools/cloud env demo)"')
    env.set_defaults(run=_env)
    env.add_argument("user", nargs="?", default="admin", help="admin (the default), demo, reader or alt_demo")

    demo = commands.add_parser("demo", help="boot and prove one more server")
    demo.set_defaults(run=_demo)
    demo.add_argument("name", nargs="?", help="its name (demo-1, demo-2, ...)")

    commands.add_parser("down", help="stop everything; state is kept").set_defaults(run=_down)
    reset = commands.add_parser("reset", help="stop and forget everything but what was installed")
    reset.set_defaults(run=_reset)
    reset.add_argument("--everything", action="store_true", help="what was installed too")
    return parser


def _up(options: argparse.Namespace, places: Places) -> int:
    wished: dict[str, Any] = {
        name: value
        for name in ("split", "database", "driver", "hosts", "address", "guest_range")
        if (value := getattr(options, name)) is not None
    }
    progress = Progress()
    machine.require_root()
    machine.require_fit(places.home, fresh=not (places.stamps / "venv-nova").exists())
    with only_one(places.home / "lock", progress.say):
        settings = choose(wished, _settings_file(places))
        if options.install_only:
            BringUp(Cloud(places, settings), progress).install()
            return 0
        if not settings.guest_range:
            settings = replace(settings, guest_range=machine.free_range(machine.networks_in_use()))
        cloud = Cloud(places, settings)
        machine.require_ports(settings, cloud.supervisor)
        store(settings, _settings_file(places))
        progress.say(f"A cloud in {places.home}: {settings.words()}.")
        proof = BringUp(cloud, progress).run()
    progress.say("\n" + show.proof_words(cloud, proof))
    progress.say(show.next_words(cloud))
    return 0


def _settings_file(places: Places) -> Any:
    return places.home / "settings.json"


def _cloud(places: Places) -> Cloud:
    settings = load(_settings_file(places))
    if settings is None:
        raise Trouble(f"There is no cloud in {places.home}", "Run './tools/cloud up' first")
    return Cloud(places, settings)


def _status(options: argparse.Namespace, places: Places) -> int:
    text, well = show.status(_cloud(places), as_json=options.json)
    print(text)
    return 0 if well else 1


def _logs(options: argparse.Namespace, places: Places) -> int:
    return show.logs(_cloud(places), options.daemon, options.lines, follow=options.follow)


def _env(options: argparse.Namespace, places: Places) -> int:
    print(show.exports(_cloud(places), options.user))
    return 0


def _demo(options: argparse.Namespace, places: Places) -> int:
    cloud = _cloud(places)
    demo = Demo(cloud)
    name = options.name
    if name is None:
        numbers = (f"demo-{number}" for number in range(1, 10_000))
        name = next(one for one in numbers if demo.api().find_server(one) is None)
    print(
        f"Booting {name}: nova boot --image tiny --flavor m1.nano --key-name demo --nic auto {name}",
        flush=True,
    )
    print(show.proof_words(cloud, demo.prove(demo.boot(name))))
    return 0


def _down(_options: argparse.Namespace, places: Places) -> int:
    cloud = _cloud(places)
    with only_one(places.home / "lock", print):
        stopped = take_down.stop(cloud, Progress())
    print(f"{stopped} daemons stopped." if stopped else "Nothing was running.")
    return 0


def _settings_to_forget(places: Places) -> Settings:
    """Return the form of what stands here; damaged files are as good as none, all of it goes anyway."""
    try:
        load_passwords(places.home / "passwords.json")
    except Trouble:
        (places.home / "passwords.json").unlink()
    try:
        return load(_settings_file(places)) or Settings()
    except Trouble:
        return Settings()


def _reset(options: argparse.Namespace, places: Places) -> int:
    progress = Progress()
    with only_one(places.home / "lock", progress.say):
        cloud = Cloud(places, _settings_to_forget(places))
        take_down.stop(cloud, progress)
        take_down.remove(cloud, progress, everything=options.everything)
    return 0
