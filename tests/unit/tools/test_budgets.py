from __future__ import annotations

import ast

import pytest

import budgets
from budgets import Source


def found(rule: budgets.Rule, text: str, path: str = "nova/x/y.py") -> int:
    return len(list(rule(Source.of(path, text))))


@pytest.mark.parametrize(
    ("rule", "bad", "good", "free"),
    [
        (budgets.rule_clock, "import time\ntime.sleep(1)", "clock.sleep(1)", "nova/clock.py"),
        (budgets.rule_clock, "datetime.datetime.now()", "clock.now()", "nova/clock.py"),
        (budgets.rule_clock, "from time import monotonic", "from time import strftime", "nova/clock.py"),
        (budgets.rule_random, "import secrets", "import uuid", "nova/ids.py"),
        (budgets.rule_random, "uuid.uuid4()", "uuid.UUID(text)", "nova/ids.py"),
        (budgets.rule_green, "import eventlet.wsgi", "import threading", "nova/concurrency.py"),
        (budgets.rule_state_writer, "row.vm_state = 'active'", "row.name = 'x'", "nova/db/instances.py"),
        (budgets.rule_state_writer, "row.task_state: str = 'x'", "a = row.task_state", "nova/lifecycle/x.py"),
    ],
)
def test_rules_with_one_free_place(rule: budgets.Rule, bad: str, good: str, free: str) -> None:
    assert found(rule, bad) == 1
    assert found(rule, good) == 0
    assert found(rule, bad, free) == 0


def test_version_literals_only_behind_since() -> None:
    path = "nova/api/compute/flavors.py"
    assert found(budgets.rule_version_literal, "if version >= '2.61': pass", path) == 1
    assert found(budgets.rule_version_literal, "Operation(since='2.61', until='2.70')", path) == 0
    assert found(budgets.rule_version_literal, "x = '2.61'", "nova/api/compute/versions/v2_061.py") == 0
    assert found(budgets.rule_version_literal, "x = '2.61'", "nova/rpc/contracts/compute.py") == 0


def test_catching_everything_wants_a_reason() -> None:
    assert found(budgets.rule_catch_all, "try: f()\nexcept Exception:\n    pass") == 1
    assert found(budgets.rule_catch_all, "try: f()\nexcept:\n    pass") == 1
    assert found(budgets.rule_catch_all, "try: f()\nexcept Exception:  # the loop must go on\n    pass") == 0
    assert found(budgets.rule_catch_all, "try: f()\nexcept Exception:\n    # the loop goes on\n    pass") == 0
    assert found(budgets.rule_catch_all, "try: f()\nexcept BaseException:\n    undo()\n    raise") == 0
    assert found(budgets.rule_catch_all, "try: f()\nexcept ValueError:\n    pass") == 0


def test_operations_have_a_policy_and_steps_an_undo() -> None:
    api, flow = "nova/api/compute/x.py", "nova/conductor/workflows/x.py"
    assert found(budgets.rule_policy, "Operation('GET', '/x')", api) == 1
    assert found(budgets.rule_policy, "Operation('GET', '/x', policy='p')", api) == 0
    assert found(budgets.rule_policy, "Operation(**facts)", api) == 0
    assert found(budgets.rule_undo, "Step('a', do)", flow) == 1
    assert found(budgets.rule_undo, "Step('a', do, undo=back)", flow) == 0
    assert found(budgets.rule_undo, "Step('a', do, no_undo='last: only forward')", flow) == 0


def test_vague_names() -> None:
    assert found(budgets.rule_names, "", "nova/network/utils.py") == 1
    assert found(budgets.rule_names, "", "nova/network/bridge.py") == 0


def function(text: str) -> budgets.Function:
    node = ast.parse(text).body[0]
    assert isinstance(node, ast.FunctionDef)
    return node


def test_a_function_is_measured_without_its_docstring() -> None:
    assert budgets.function_lines(function('def f():\n    """One.\n\n    Two.\n    """\n    return 1')) == 2
    assert budgets.function_lines(function("def f():\n    return 1")) == 2


def test_parameters_beyond_self() -> None:
    assert budgets.parameter_count(function("def f(self, a, b, *, c): pass")) == 3
    assert budgets.parameter_count(function("def f(a, *b, **c): pass")) == 1


def test_what_is_too_large_is_found() -> None:
    long = "def f(a, b, c, d, e, g, h):\n" + "    x = 1\n" * 70
    assert len(list(budgets.size_findings(Source.of("nova/x.py", long)))) == 2
    assert len(list(budgets.size_findings(Source.of("nova/x.py", "x = 1\n" * 601)))) == 1
    many = [Source.of("nova/x.py", "x = 1\n" * 401)] * 3
    assert len(list(budgets.spread_findings(many))) == 1


@pytest.mark.parametrize(
    ("values", "share", "answer"),
    [([], 0.95, 0), ([7], 0.95, 7), (list(range(1, 101)), 0.95, 95), ([1, 9], 0.95, 9)],
)
def test_percentile(values: list[int], share: float, answer: int) -> None:
    assert budgets.percentile(values, share) == answer
