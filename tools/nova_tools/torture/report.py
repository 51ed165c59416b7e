"""The report in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nova_tools.torture.form import Form
from nova_tools.torture.run import Report


def tell(report: Report) -> str:
    """Put a report into lines."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    yield ""
    yield Form(**(report.form | {"faults": tuple(report.form["faults"])})).words()
    yield f"  requests            {report.operations} in {report.seconds:.0f} s, start {report.start_s:.0f} s"
    for kind, outcomes in report.outcomes.items():
        yield f"    {kind:17} {_counts(outcomes)}"
    yield f"  answers judged      {report.judged}, with those that were only waited with"
    yield f"  answers             {_spread(report.latency_s)}; {report.retries} sent again at another door"
    yield f"  lost answers        {report.lost_answers}"
    yield f"  faults              {_counts(report.faults)}"
    for deed, daemons in report.shares.items():
        yield f"    {deed:17} {_counts(daemons)}"
    yield f"  started again       {_counts(report.kills)}"
    yield f"  commits lost        {_counts(report.commits_lost)}"
    yield f"  lock races          {_counts(report.deadlocks)}"
    yield f"  workflows           {_counts(report.workflows)}; from begin to end {_spread(report.workflow_s)}"
    yield f"  all holds again     {_spread(report.healed_s)} after a fault is over"
    for name, times in report.healed_by_fault_s.items():
        yield f"    {name:17} {_spread(times)}"
    for name, shut in report.shut_s.items():
        yield (
            f"  doors shut by {name:17} one p50 {shut['one_p50']:.1f} s, max {shut['one_max']:.1f} s; "
            f"all p50 {shut['all_p50']:.1f} s, max {shut['all_max']:.1f} s"
        )
    yield f"  at the end          all held {report.quiet_s} s after the load and the last fault"
    yield f"  looks               {report.looks}; the longest that one found something: {_longest(report)}"
    if report.guests:
        beats = ", ".join(str(beats) for beats in report.guests.values())
        yield f"  guests that count   {len(report.guests)}, up to {beats}"
    yield f"  promises broken     {len(report.violations)}"
    for violation in report.violations[:60]:
        yield f"    {violation['rule']}: {violation['sentence']}"
        for line in violation["evidence"]:
            yield f"        {line}"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"


def _spread(times: Mapping[str, float]) -> str:
    if not times:
        return "-"
    return f"p50 {times['p50']:.2f} s, p99 {times['p99']:.2f} s, max {times['max']:.2f} s"


def _longest(report: Report) -> str:
    return (
        f"{report.longest_finding_s:.1f} s ({report.longest_finding})" if report.longest_finding else "never"
    )
