"""All benchmarks by one command: ``python -m tests.benchmarks [parts] [options]``, or ``./tools/bench``.

Parts: ``http`` (servers over HTTP: ours, and another implementation's where ``--peer`` says that one stands),
``start`` (ready after, schema, memory), ``micro`` (single mechanisms in this process), ``scale`` (decisions,
beats and slopes with many hosts and servers).  Without parts: all of them.  Raw lines go to ``--out``.

    python -m tests.benchmarks http --form split --database mariadb
    python -m tests.benchmarks http --peer ~/peer --rounds 2 --sizes few
    python -m tests.benchmarks endpoint --endpoint http://host:8774/v2.1 --auth-url ... --password ...
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tests.benchmarks import answers, micro, peer, report, scale, servers, starting, watching
from tests.benchmarks.clients import Target
from tests.benchmarks.lines import Record, Watch, read
from tests.benchmarks.our_cloud import Form, Identity, cloud, own_identity
from tests.benchmarks.scenarios import ALL, SIZES, Run, Sizes

PARTS = ("http", "start", "micro", "scale")


def main(words: Sequence[str]) -> int:
    """Run what was asked for."""
    asked = _arguments(words)
    if asked.parts == ["report"]:
        print(_tables(read([asked.out])))
        return 0
    record = Record(asked.out)
    if asked.parts == ["endpoint"]:
        _endpoint(asked, record)
    for part in asked.parts:
        if part in PARTS:
            {"http": _http, "start": starting.run, "micro": micro.run, "scale": scale.run}[part](
                asked, record
            )
    text = _tables(record.lines)
    print(text)
    if asked.table:
        asked.table.write_text(text + "\n")
    return 0


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add("parts", nargs="*", metavar="PART", choices=[*PARTS, "endpoint", "report", []])
    add("--form", choices=("split", "all"), default="split")
    add("--database", choices=("mariadb", "postgresql", "sqlite"), default="mariadb")
    add("--concurrency", choices=("eventlet", "threading"), default="eventlet")
    add("--hosts", type=int, default=20, help="fake hosts")
    add("--noauth", action="store_true", help="without Keystone and Glance")
    add("--scenarios", default=",".join(ALL), help="of part http")
    add("--sizes", choices=sorted(SIZES), default="full", help="how often our own scenarios repeat things")
    add("--existing", type=int, default=1000, help="servers that are there for show and lists")
    add("--rounds", type=int, default=1, help="the whole of http so often, the sides in turns")
    add("--transport", choices=["rabbit", "oslo+rabbit"], default="rabbit", help="of a split cloud")
    add("--peer-sizes", choices=list(SIZES), default="few", help="the same for the other implementation")
    add("--peer", type=Path, help="directory of another implementation that runs here")
    add("--out", type=Path, help="file to which raw lines are appended (JSON)")
    add("--table", type=Path, help="file for the tables")
    add("--quick", action="store_true", help="smaller sizes in parts micro and scale")
    for name in ("endpoint", "auth-url", "user", "password", "project", "token", "image", "flavor"):
        add(f"--{name}", default="")
    add("--watch", action="append", default=[], metavar="NAME:PID[+PID]", help="of part endpoint")
    asked = parser.parse_args(words)
    asked.parts = asked.parts or list(PARTS)
    return asked


def _http(asked: argparse.Namespace, record: Record) -> None:
    theirs = peer.peer(asked.peer).logged_in() if asked.peer else None
    form = Form(
        split=asked.form == "split", database=asked.database, concurrency=asked.concurrency,
        transport=asked.transport, hosts=asked.hosts, auth="none" if asked.noauth else "keystone",
    )  # fmt: skip
    with contextlib.ExitStack() as stack:
        identity: Identity | None = None
        if not asked.noauth:
            identity = peer.identity(asked.peer) if asked.peer else stack.enter_context(own_identity())
        ours = stack.enter_context(cloud(form, identity)).target
        if theirs is not None:
            _compare(ours, theirs)
        wanted = asked.scenarios.split(",")
        for _ in range(asked.rounds):
            if theirs is not None:
                _play(Run(theirs.logged_in(), _sizes(asked, asked.peer_sizes), record), wanted)
            _play(Run(ours.logged_in(), _sizes(asked, asked.sizes), record), wanted)
        servers.remove(ours, "bench-")


def _sizes(asked: argparse.Namespace, name: str) -> Sizes:
    sizes = SIZES[name]
    return sizes if name == "tiny" else msgspec.structs.replace(sizes, existing=asked.existing)


def _play(run: Run, wanted: Sequence[str]) -> None:
    for name in wanted:
        try:
            ALL[name](run)
        except Exception as error:  # one scenario that fails must not cost the others
            print(f"{run.target.name}: {name} failed: {error!r}", file=sys.stderr, flush=True)
    by = {name: round(mib, 1) for name, mib in watching.memory_mib(run.target.watch).items()}
    line = Watch(run.target).line("memory", 1, value=round(sum(by.values()), 1), unit="MiB", mib_by=by)
    run.record.add({k: v for k, v in line.items() if not k.startswith("cpu_ms")})


def _compare(ours: Target, theirs: Target) -> None:
    """Show where the answers differ; statuses must not."""
    found = answers.differences(answers.observed(ours), answers.observed(theirs))
    for one in found:
        print(f"   answers differ: {one.what}: ours {one.ours}, theirs {one.theirs}", flush=True)
    if any(one.what.endswith(".status") for one in found):
        raise SystemExit("statuses differ: times would mean nothing")


def _endpoint(asked: argparse.Namespace, record: Record) -> None:
    watch = {}
    for word in asked.watch:
        name, _, pids = word.partition(":")
        watch[name] = [int(pid) for pid in pids.split("+")]
    target = Target(
        name="ours", endpoint=asked.endpoint, auth_url=asked.auth_url, user=asked.user or "admin",
        password=asked.password, project=asked.project or "admin", token=asked.token, image=asked.image,
        flavor=asked.flavor, watch=watch,
    ).logged_in()  # fmt: skip
    _play(Run(target, _sizes(asked, asked.sizes), record), asked.scenarios.split(","))
    servers.remove(target, "bench-")


def _tables(lines: Sequence[dict[str, object]]) -> str:
    kinds = {line["side"] for line in lines}
    blocks = [f"Machine: {os.cpu_count()} cores."]
    if "peer" in kinds:
        blocks += [report.side_by_side(lines), report.parties(lines, "peer"), report.parties(lines, "ours")]
    elif any("rate_per_s" in line for line in lines):
        blocks += [report.percentiles(lines), report.parties(lines, "ours")]
    if any("value" in line for line in lines):
        blocks.append(report.values(lines, lambda line: line["side"] == "ours"))
    return "\n\n".join(blocks)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
