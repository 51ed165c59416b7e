#!/usr/bin/env python3
"""Size budgets and the house's own lint rules, by a walk over the syntax trees.

Sizes: a file has at most 600 lines (95 of 100 files at most 400), a function at most 70 without its
docstring (95 of 100 at most 40) and at most six parameters beyond ``self``.  The rules are the functions
named ``rule_...`` below; each docstring says what it asks for and is printed with a finding.

Usage: tools/budgets.py [--sizes]
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE_MOST, FILE_P95 = 600, 400
FUNCTION_MOST, FUNCTION_P95 = 70, 40
PARAMETERS_MOST = 6

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Finding:
    """Something that breaks a budget or a rule."""

    path: str
    line: int
    words: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.words}"


@dataclass(frozen=True)
class Source:
    """One Python file, read and parsed; ``path`` is relative to the checkout, with slashes."""

    path: str
    text: str
    tree: ast.Module

    @classmethod
    def of(cls, path: str, text: str) -> Source:
        return cls(path, text, ast.parse(text, path))

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    def comment_near(self, first: int, last: int) -> bool:
        """Tell whether one of these lines (counted from 1) holds a comment."""
        return any("#" in line for line in self.lines[max(0, first - 1) : last])


Rule = Callable[[Source], Iterator[Finding]]


def _finding(source: Source, node: ast.AST, words: str) -> Finding:
    return Finding(source.path, getattr(node, "lineno", 1), words)


def _dotted(node: ast.AST) -> str:
    """Return ``a.b.c`` for such an expression, else nothing."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = _dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return ""


def _calls(source: Source) -> Iterator[tuple[ast.Call, str]]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            yield node, _dotted(node.func)


def _imports(source: Source) -> Iterator[tuple[ast.AST, str]]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield node, name.name
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for name in node.names:
                yield node, f"{node.module}.{name.name}"


_TIME = {"time", "monotonic", "perf_counter", "sleep", "time_ns", "monotonic_ns", "perf_counter_ns"}
_DATES = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today"}


def rule_clock(source: Source) -> Iterator[Finding]:
    """Only nova/clock.py asks for the time: take a Clock as a parameter."""
    if source.path == "nova/clock.py":
        return
    for call, name in _calls(source):
        last = ".".join(name.split(".")[-2:])
        if last in _DATES or (name.startswith("time.") and name.removeprefix("time.") in _TIME):
            yield _finding(source, call, f"{name}()")
    for node, name in _imports(source):
        if name.startswith("time.") and name.removeprefix("time.") in _TIME:
            yield _finding(source, node, f"import of {name}")


_RANDOM_CALLS = {"uuid.uuid1", "uuid.uuid4", "os.urandom"}


def rule_random(source: Source) -> Iterator[Finding]:
    """Only nova/ids.py draws random values and makes new uuids; seeded generators may be handed in."""
    if source.path == "nova/ids.py":
        return
    for call, name in _calls(source):
        unseeded = name == "random.Random" and not call.args
        if name in _RANDOM_CALLS or unseeded or (name.startswith("random.") and name != "random.Random"):
            yield _finding(source, call, f"{name}()")
    for node, name in _imports(source):
        if name.split(".")[0] == "secrets" or name.startswith("random.") or name in _RANDOM_CALLS:
            yield _finding(source, node, f"import of {name}")


def rule_green(source: Source) -> Iterator[Finding]:
    """Only nova/concurrency.py imports eventlet."""
    if source.path == "nova/concurrency.py":
        return
    for node, name in _imports(source):
        if name.split(".")[0] in ("eventlet", "greenlet"):
            yield _finding(source, node, f"import of {name}")


def rule_catch_all(source: Source) -> Iterator[Finding]:
    """Catching everything needs a comment there that says why the loop or daemon must survive."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.ExceptHandler):
            continue
        caught = "everything" if node.type is None else _dotted(node.type)
        if caught in ("everything", "Exception", "BaseException"):
            raises_again = any(isinstance(part, ast.Raise) and part.exc is None for part in ast.walk(node))
            first = node.body[0].lineno
            if not raises_again and not source.comment_near(node.lineno - 1, first):
                yield _finding(source, node, f"except {caught} without a reason")


_VERSION = re.compile(r"2\.[1-9]\d{0,2}")
_VERSION_KEYWORDS = {"since", "until"}


def rule_version_literal(source: Source) -> Iterator[Finding]:
    """Microversion numbers stand in nova/api/compute/versions and behind since= and until= only."""
    if not source.path.startswith("nova/api/") or source.path.startswith("nova/api/compute/versions/"):
        return
    allowed = {
        id(keyword.value)
        for call, _name in _calls(source)
        for keyword in call.keywords
        if keyword.arg in _VERSION_KEYWORDS
    }
    for node in ast.walk(source.tree):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and _VERSION.fullmatch(text) and id(node) not in allowed:
            yield _finding(source, node, f"version literal {text!r}")


_STATES = {"vm_state", "task_state", "power_state"}


def rule_state_writer(source: Source) -> Iterator[Finding]:
    """The state of an instance is set by swap() alone (nova/lifecycle, nova/db), never on an attribute."""
    if source.path.startswith(("nova/lifecycle/", "nova/db/")):
        return
    for node in ast.walk(source.tree):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            if (
                isinstance(target, ast.Attribute)
                and isinstance(target.ctx, ast.Store)
                and target.attr in _STATES
            ):
                yield _finding(source, target, f"{target.attr} is assigned")


def rule_policy(source: Source) -> Iterator[Finding]:
    """Every Operation of the Compute API names its policy."""
    if not source.path.startswith("nova/api/compute/"):
        return
    for call, name in _calls(source):
        # None stands for **facts, which may hold it.
        given = {keyword.arg for keyword in call.keywords}
        if name.split(".")[-1] == "Operation" and not given & {"policy", None}:
            yield _finding(source, call, "an Operation without policy=")


def rule_undo(source: Source) -> Iterator[Finding]:
    """Every Step of a workflow has an undo, or says in no_undo= why it needs none."""
    if not source.path.startswith("nova/conductor/workflows/"):
        return
    for call, name in _calls(source):
        if name.split(".")[-1] != "Step" or any(
            keyword.arg in ("undo", "undo_ask", "no_undo") for keyword in call.keywords
        ):
            continue
        yield _finding(source, call, "a Step without undo= or no_undo=")


_VAGUE = {"utils", "util", "common", "helpers", "helper", "misc"}


def rule_names(source: Source) -> Iterator[Finding]:
    """A module is named for its subject: not utils, common, helpers or misc."""
    for word in Path(source.path).with_suffix("").parts:
        if word in _VAGUE:
            yield Finding(source.path, 1, f"the name {word!r} says nothing")


RULES: tuple[Rule, ...] = (
    rule_clock, rule_random, rule_green, rule_catch_all, rule_version_literal, rule_state_writer, rule_policy,
    rule_undo, rule_names,
)  # fmt: skip


def function_lines(node: Function) -> int:
    """Count a function's lines without decorators and docstring."""
    total = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    ):
        total -= (first.end_lineno or first.lineno) - first.lineno + 1
    return total


def parameter_count(node: Function) -> int:
    """Count parameters beyond ``self`` and ``cls``; ``*args`` and ``**kwargs`` are not counted."""
    names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def functions(source: Source) -> Iterator[Function]:
    for node in ast.walk(source.tree):
        if isinstance(node, Function):
            yield node


def size_findings(source: Source) -> Iterator[Finding]:
    """Find what is larger than anything may be."""
    lines = len(source.lines)
    if lines > FILE_MOST:
        yield Finding(source.path, 1, f"{lines} lines; a file has at most {FILE_MOST}")
    for node in functions(source):
        length, parameters = function_lines(node), parameter_count(node)
        if length > FUNCTION_MOST:
            yield _finding(source, node, f"{node.name}() has {length} lines; at most {FUNCTION_MOST}")
        if parameters > PARAMETERS_MOST:
            yield _finding(
                source, node, f"{node.name}() has {parameters} parameters; at most {PARAMETERS_MOST}"
            )


def percentile(values: list[int], share: float) -> int:
    """Return the smallest value that so large a share of the values does not exceed; 0 for none."""
    if not values:
        return 0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]


def spread_findings(sources: list[Source]) -> Iterator[Finding]:
    """Find out whether the many are small."""
    file_p95 = percentile([len(source.lines) for source in sources], 0.95)
    function_p95 = percentile(
        [function_lines(node) for source in sources for node in functions(source)], 0.95
    )
    if file_p95 > FILE_P95:
        yield Finding("nova", 0, f"95 of 100 files may have {FILE_P95} lines at most, now it is {file_p95}")
    if function_p95 > FUNCTION_P95:
        yield Finding(
            "nova", 0, f"95 of 100 functions may have {FUNCTION_P95} lines at most, now {function_p95}"
        )


def read(folder: str) -> list[Source]:
    """Read every Python file below a folder of the checkout."""
    paths = sorted((ROOT / folder).rglob("*.py"))
    return [Source.of(path.relative_to(ROOT).as_posix(), path.read_text()) for path in paths]


def main() -> int:
    """Print what breaks a budget or rule; return the exit code."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--sizes", action="store_true", help="print the longest files and functions too")
    chosen = options.parse_args()
    product, tools, tests = read("nova"), read("tools"), read("tests")
    findings = list(spread_findings(product + tools))
    for source in product + tools:
        findings += size_findings(source)
    findings += [
        Finding(source.path, 1, f"{len(source.lines)} lines; a file has at most {FILE_MOST}")
        for source in tests
        if len(source.lines) > FILE_MOST
    ]
    for rule in RULES:
        asks = (rule.__doc__ or "").strip()
        for source in product:
            findings += [Finding(f.path, f.line, f"{f.words}. {asks}") for f in rule(source)]
    for finding in sorted(findings, key=lambda finding: (finding.path, finding.line)):
        print(finding)
    if chosen.sizes:
        _print_sizes(product)
    print(f"{len(product)} files of nova, {len(findings)} findings")
    return 1 if findings else 0


def _print_sizes(product: list[Source]) -> None:
    for source in sorted(product, key=lambda source: -len(source.lines))[:10]:
        print(f"{len(source.lines):5} lines  {source.path}")
    pairs = [
        (function_lines(node), node.name, source.path) for source in product for node in functions(source)
    ]
    for length, name, path in sorted(pairs, reverse=True)[:10]:
        print(f"{length:5} lines  {path} {name}()")


if __name__ == "__main__":
    sys.exit(main())
