"""One torture from start to end."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nova.conf import load
from nova.image.base import ImageQuery
from nova.image.choice import image_store
from nova_tools.torture.cloud import SECRET, Cloud
from nova_tools.torture.evidence import excerpts
from nova_tools.torture.faults import Faults, Inflicted
from nova_tools.torture.form import Form
from nova_tools.torture.judge import Judge
from nova_tools.torture.ledger import LOST, Ledger, spread
from nova_tools.torture.load import Client, Site
from nova_tools.torture.shut import Knocker, shut_by_fault
from nova_tools.torture.violation import Violation
from nova_tools.torture.watch import Watch
from nova_tools.torture.windows import Windows
from nova_tools.waiting import wait_until

_CLIENTS_END_S = 150.0
_PAUSES_S = (0.5, 4.0)


@dataclass
class Report:
    """What came of it."""

    form: dict[str, Any]
    start_s: float = 0.0
    operations: int = 0
    judged: int = 0
    """Answers, with those to questions that only wait for something."""
    outcomes: dict[str, dict[str, int]] = field(default_factory=dict)
    latency_s: dict[str, float] = field(default_factory=dict)
    retries: int = 0
    lost_answers: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    shares: dict[str, dict[str, int]] = field(default_factory=dict)
    """How often each daemon was killed and frozen."""
    kills: dict[str, int] = field(default_factory=dict)
    """Processes started again, by daemon."""
    ended_early: dict[str, list[int]] = field(default_factory=dict)
    """Exit codes of daemons that ended though nobody killed them."""
    commits_lost: dict[str, int] = field(default_factory=dict)
    deadlocks: dict[str, int] = field(default_factory=dict)
    healed_s: dict[str, float] = field(default_factory=dict)
    healed_by_fault_s: dict[str, dict[str, float]] = field(default_factory=dict)
    shut_s: dict[str, dict[str, float]] = field(default_factory=dict)
    """How long one door, and all of them, were shut, by fault."""
    quiet_s: float | None = None
    """From the last fault until everything held."""
    workflows: dict[str, int] = field(default_factory=dict)
    workflow_s: dict[str, float] = field(default_factory=dict)
    """How long workflows took; the maximum is the longest that anything was in transition."""
    longest_finding_s: float = 0.0
    longest_finding: str = ""
    looks: int = 0
    violations: list[dict[str, Any]] = field(default_factory=list)
    """Rule, sentence, and what the logs say about it."""
    guests: dict[str, int] = field(default_factory=dict)
    """Guests that only count, and how far they came."""
    seconds: float = 0.0


class Torture:
    """Runs a form in a directory of its own."""

    def __init__(
        self, form: Form, home: Path, say: Callable[[str], None], cloud: Cloud | None = None
    ) -> None:
        self.form = form
        self.cloud = cloud or Cloud(form, home)
        self.ledger = Ledger()
        self._say = say
        self.chance = random.Random(f"{form.seed}/faults")
        self._inflicted: list[Inflicted] = []
        self._violations: list[Violation] = []

    def run(self) -> Report:
        """Start the cloud, torture it, let it come to rest, judge, end it."""
        began = time.monotonic()
        report = Report(form=asdict(self.form))
        # What the judge's own libraries have to say belongs with the daemons' logs.
        logging.basicConfig(
            filename=self.cloud.logs / "judge.log", level=logging.WARNING, force=True,
            format="%(asctime)s.%(msecs)03d %(levelname)s %(name)s %(message)s", datefmt="%Y-%m-%d %H:%M:%S",
        )  # fmt: skip
        try:
            self._say(f"starting: {self.form.words()}")
            self.cloud.start()
            report.start_s = round(time.monotonic() - began, 1)
            self._say(f"the cloud serves after {report.start_s} s")
            self.prepare()
            self._torture(report)
            self.finish(report)
        finally:
            self.cloud.stop()
        report.violations = self._with_evidence()
        report.seconds = round(time.monotonic() - began, 1)
        return report

    def _with_evidence(self) -> list[dict[str, Any]]:
        broken = list(dict.fromkeys(self._violations))
        found = excerpts(self.cloud.logs, [one.sentence for one in broken])
        return [asdict(one) | {"evidence": found[one.sentence]} for one in broken]

    def prepare(self) -> None:
        """What must be there before the load."""

    def finish(self, report: Report) -> None:
        """What must be judged while the cloud still stands."""

    def faults(self) -> Faults:
        """Return what may be done to this cloud."""
        return Faults(self.cloud, self.chance)

    def _torture(self, report: Report) -> None:
        watch, faults = Watch(self.cloud), self.faults()
        stopping = threading.Event()
        site = Site(
            doors=self.cloud.doors, ledger=self.ledger, stopping=stopping, image=self.image(),
            metadata=self.cloud.metadata, secret=SECRET,
        )  # fmt: skip
        clients = [Client(n, self.form.seed, site) for n in range(self.form.clients)]
        knockers = [Knocker(port, n, self.ledger) for n, port in enumerate(self.cloud.doors)]
        watch.start()
        for thread in (*clients, *knockers):
            thread.start()
        try:
            self._inflict(faults, watch)
            stopping.set()
            for client in clients:
                client.join(_CLIENTS_END_S)
                if client.is_alive():
                    self.blame("nothing stuck", f"{client.name} still waits for an answer")
            self._come_to_rest(watch, report)
        finally:
            stopping.set()
            faults.stop()
            for knocker in knockers:
                knocker.stop()
            watch.stop()
        for knocker in knockers:
            knocker.join(_CLIENTS_END_S)
        self._account(report, watch, faults)
        windows = Windows(self._inflicted, self.form.settle_s)
        report.shut_s = shut_by_fault(windows.all, [knocker.waits for knocker in knockers])

    def image(self) -> str:
        """Return the id of the image that servers are made from."""
        conf = load(["--config-file", str(self.cloud.home / "etc" / "nova.conf")], program="nova-api")
        return str(image_store(conf).list(ImageQuery())[0].id)

    # -- faults --------------------------------------------------------------------------------------------

    def _inflict(self, faults: Faults, watch: Watch) -> None:
        """Inflict faults until the time is over and the clients have done their share."""
        end = time.monotonic() + self.form.seconds
        last = end + self.form.seconds  # a slow machine does not make it go on for ever
        time.sleep(min(2.0, self.form.seconds / 10))
        while time.monotonic() < end or (
            self.ledger.done() < self.form.operations and time.monotonic() < last
        ):
            fault = faults.inflict(faults.choose())
            self._inflicted.append(fault)
            watch.felt(fault)
            self._say(
                f"  {self.ledger.done():5} requests, {fault.name} ({fault.target}), "
                f"took {fault.over - fault.began:.1f} s"
            )
            time.sleep(self.chance.uniform(*_PAUSES_S))
            if self.chance.random() < 0.5:
                wait_until(lambda: watch.open() == 0, 30)

    def _come_to_rest(self, watch: Watch, report: Report) -> None:
        """Nothing is done any more: everything must hold within the time that is promised."""
        began = time.monotonic()
        last = max((fault.over for fault in self._inflicted), default=began)
        if not wait_until(watch.at_rest, self.form.settle_s, pause=0.3):
            for daemon in self.cloud.daemons:
                if (waits := daemon.readiness()) is not None:
                    self.blame("everything serves again", f"{daemon.role.name}: {waits}")
            for finding in watch.standing:
                self.blame(finding.rule, finding.sentence)
            if not watch.standing:
                self.blame("nothing stuck", "work that was begun has not ended")
        report.quiet_s = round(time.monotonic() - max(began, last), 1)
        for finding in watch.checker.judge():
            self.blame(finding.rule, finding.sentence)
        for sentence in dict.fromkeys(watch.never):
            self.blame("never, not for a moment", sentence)

    def blame(self, rule: str, sentence: str) -> None:
        """Note a broken promise."""
        self._violations.append(Violation(rule, sentence))

    # -- accounts ------------------------------------------------------------------------------------------

    def _account(self, report: Report, watch: Watch, faults: Faults) -> None:
        db = self.cloud.database()
        judge = Judge(db, self.ledger, Windows(self._inflicted, self.form.settle_s))
        self._violations += judge.violations()
        db.close()
        report.operations, report.judged = self.ledger.done(), len(self.ledger.entries)
        report.outcomes, report.latency_s = self.ledger.outcomes(), self.ledger.latencies()
        report.retries = sum(entry.tries - 1 for entry in self.ledger.entries)
        report.lost_answers = sum(entry.outcome == LOST for entry in self.ledger.entries)
        report.workflows, report.workflow_s = judge.ended(), judge.lasted()
        report.faults = dict(Counter(fault.name for fault in self._inflicted))
        report.shares = {deed: dict(sorted(daemons.items())) for deed, daemons in faults.shares.items()}
        report.kills = {d.role.name: d.starts - 1 for d in self.cloud.daemons if d.starts > 1}
        report.ended_early = {d.role.name: d.ended for d in self.cloud.daemons if d.ended}
        for name, codes in report.ended_early.items():
            self.blame("daemons do not end by themselves", f"{name} ended with {codes}")
        report.commits_lost = dict(self.cloud.backing.proxy.lost)
        report.deadlocks = dict(faults.deadlocks)
        report.looks = watch.looks
        report.longest_finding_s = round(watch.longest_s, 1)
        report.longest_finding = watch.longest
        self._account_healing(report)

    def _account_healing(self, report: Report) -> None:
        healed = [fault for fault in self._inflicted if fault.healed_s is not None]
        report.healed_s = spread(fault.healed_s or 0.0 for fault in healed)
        for name in sorted({fault.name for fault in healed}):
            report.healed_by_fault_s[name] = spread(f.healed_s or 0.0 for f in healed if f.name == name)
        for fault in healed:
            if (fault.healed_s or 0.0) > self.form.settle_s:
                told = f"{fault.name} ({fault.target}) was felt for {fault.healed_s} s"
                self.blame("healed in time", f"{told}, at last because of {fault.still}")
