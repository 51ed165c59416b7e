"""``tools/torture``: the command line."""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from nova_tools.torture.form import DATABASES, DRIVERS, Form
from nova_tools.torture.guests import GuestTorture, run_inside
from nova_tools.torture.report import tell
from nova_tools.torture.run import Report, Torture
from nova_tools.trouble import Trouble


def main(arguments: list[str]) -> int:
    """Run a torture; 0 when no promise was broken, 1 when one was."""
    options = _parser().parse_args(arguments)
    if options.driver == "libvirt" and (code := run_inside(arguments)) is not None:
        return code
    form = Form(
        seed=options.seed if options.seed is not None else random.randrange(1 << 32),
        seconds=options.seconds if options.seconds is not None else options.minutes * 60,
        operations=options.operations,
        clients=options.clients,
        driver=options.driver,
        database=options.database,
        hosts=options.hosts or (1 if options.driver == "libvirt" else 5),
        brokers=options.brokers,
        single=options.single,
        settle_s=options.settle,
        faults=tuple(options.fault),
    )
    home = Path(tempfile.mkdtemp(prefix="nova-torture-", dir="/var/tmp"))
    home.chmod(0o755)
    try:
        report = run(form, home)
    except Trouble as trouble:
        print(f"{trouble} Logs are kept in {home}", file=sys.stderr)
        return 2
    print(tell(report))
    if options.json is not None:
        options.json.write_text(json.dumps(asdict(report), indent=2) + "\n")
    if report.violations or options.keep:
        print(f"Logs, configuration and data are kept in {home}")
    else:
        shutil.rmtree(home, ignore_errors=True)
    return 1 if report.violations else 0


def run(form: Form, home: Path) -> Report:
    """Run one torture, telling what is done as it is done."""
    began = time.monotonic()

    def say(words: str) -> None:
        print(f"{time.monotonic() - began:7.1f} s  {words}", flush=True)

    return (GuestTorture if form.driver == "libvirt" else Torture)(form, home, say).run()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tools/torture",
        description="Run a whole cloud of real processes under load, kill and freeze them, judge the end.",
    )
    parser.add_argument("--seed", type=int, help="of operations and faults (default: by chance; it is told)")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long faults are inflicted (10)")
    parser.add_argument("--seconds", type=float, help="the same in seconds")
    parser.add_argument("--operations", type=int, default=1000, help="at least so many (1000)")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--driver", choices=DRIVERS, default="fake")
    parser.add_argument("--database", choices=DATABASES, default="mariadb")
    parser.add_argument("--hosts", type=int, help="compute hosts (5; with libvirt 1)")
    parser.add_argument("--brokers", type=int, default=1, help="nodes of RabbitMQ, as one cluster (1)")
    parser.add_argument(
        "--settle", type=float, default=60.0, help="seconds within which all must hold after a fault (60)"
    )
    parser.add_argument("--single", action="store_true", help="one conductor, scheduler and API, not two")
    parser.add_argument("--fault", action="append", default=[], help="only this fault; may be repeated")
    parser.add_argument("--json", type=Path, help="write the report there as well")
    parser.add_argument("--keep", action="store_true", help="keep logs and data though nothing was wrong")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
