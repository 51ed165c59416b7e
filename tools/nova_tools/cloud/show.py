"""``status``, ``logs``, ``env`` and the words after ``up``: what a person or a script may want to know."""

from __future__ import annotations

import json
import shlex
import subprocess
import time
from dataclasses import asdict, dataclass

from nova_tools.accounts import variables
from nova_tools.cloud.parts import Cloud
from nova_tools.cloud.proving import Proof, ssh_command
from nova_tools.commands import tail
from nova_tools.trouble import Trouble


@dataclass(frozen=True)
class DaemonState:
    """One daemon: whether it runs and says it is well."""

    name: str
    pid: int | None
    health: str
    port: int | None


def states(cloud: Cloud) -> list[DaemonState]:
    """Ask every daemon of the cloud."""
    found = []
    for program in cloud.programs():
        pid = cloud.supervisor.pid(program.name)
        health = "stopped" if pid is None else "ok" if program.ready() else "not ready"
        found.append(DaemonState(program.name, pid, health, program.port))
    return found


def status(cloud: Cloud, *, as_json: bool) -> tuple[str, bool]:
    """Return what ``status`` prints, and whether all is well."""
    found = states(cloud)
    well = all(state.health == "ok" for state in found)
    if as_json:
        return json.dumps({"healthy": well, "daemons": [asdict(state) for state in found]}, indent=2), well
    rows = [("name", "pid", "health", "port")]
    rows += [(state.name, str(state.pid or "-"), state.health, str(state.port or "-")) for state in found]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    return "\n".join(lines), well


def exports(cloud: Cloud, user: str) -> str:
    """Return ``export OS_...`` lines for ``eval``; the clients' commands are put on PATH too."""
    known = ("admin", "demo", "reader", "alt_demo")
    if user not in known:
        raise Trouble(f"There is no account {user!r}", f"Accounts are: {', '.join(known)}")
    given = variables(user, cloud.passwords[user], cloud.keystone.url)
    lines = [f"export {name}={shlex.quote(value)}" for name, value in given.items()]
    binaries = [str(cloud.places.venv(name) / "bin") for name in ("clients", "nova")]
    # Behind what is there: a person's own python stays the first one.
    lines.append(f'export PATH="$PATH:{":".join(binaries)}"')
    return "\n".join(lines)


def logs(cloud: Cloud, name: str | None, lines: int, *, follow: bool) -> int:
    """Print the end of one daemon's log, or of all; return the exit code."""
    known = [program.name for program in cloud.programs()]
    if name is not None and not cloud.supervisor.log_of(name).exists():
        raise Trouble(f"There is no log of {name!r}", f"Logs are those of: {', '.join(known)}")
    paths = [cloud.supervisor.log_of(one) for one in ([name] if name else known)]
    paths = [path for path in paths if path.exists()]
    if follow:
        try:
            return subprocess.call(["tail", "-n", str(lines), "-F", *map(str, paths)])
        except KeyboardInterrupt:
            return 0
    for path in paths:
        if len(paths) > 1:
            print(f"==> {path} <==")
        print(tail(path, lines))
    return 0


def proof_words(cloud: Cloud, proof: Proof) -> str:
    """Say what was seen of a server."""
    server = proof.server
    lines = [f"Server {server['name']} ({server['id']}) is {server['status']}, address {proof.address}."]
    if proof.console:
        lines += ["The end of its console:", ""]
        lines += [f"    {line.rstrip()}" for line in proof.console.rstrip().splitlines()[-14:]]
        lines.append("")
    if proof.said_over_ssh and proof.address:
        command = shlex.join(ssh_command(cloud.key_file, proof.address))
        lines += ["It lets you in over ssh:", "", f"    $ {command} 'hostname; uptime'"]
        lines += [f"    {line}" for line in proof.said_over_ssh.splitlines()]
    return "\n".join(lines)


def next_words(cloud: Cloud) -> str:
    """Say what to do next."""
    novnc = f"http://{cloud.address}:{cloud.settings.ports.novnc}/"
    return f"""
What next:

    eval "$(./tools/cloud env demo)"      # be a member of the project demo; 'env' alone: the administrator
    nova list
    openstack server create --image tiny --flavor m1.nano --key-name demo --nic auto --wait second
    openstack server show second
    nova console-log first
    openstack console url show --novnc first        # open it in a browser ({novnc})

    ./tools/cloud demo                    # boot and prove one more server
    ./tools/cloud status                  # every daemon, its pid and health
    ./tools/cloud logs                    # the ends of their logs
    ./tools/cloud down                    # stop; 'up' starts again, 'reset' forgets all servers

At {time.strftime("%H:%M:%S")}: all state is in {cloud.places.home}.""".rstrip()
