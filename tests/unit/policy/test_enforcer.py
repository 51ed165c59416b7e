"""Who may do what, with the defaults and with a file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nova.clock import StoppedClock
from nova.conf.policy import PolicyConf
from nova.context import RequestContext
from nova.errors.http import PolicyForbids
from nova.identity.roles import with_implied
from nova.policy import (
    ADMIN,
    ADMIN_OR_OWNING_USER,
    ANYONE,
    NOBODY,
    PROJECT_MANAGER_OR_ADMIN,
    PROJECT_MEMBER_OR_ADMIN,
    PROJECT_READER_OR_ADMIN,
    SERVICE_OR_ADMIN,
    Policy,
    Rule,
    Target,
)
from nova.policy.sample import sample

RULES = {
    "admin": ADMIN,
    "manager": PROJECT_MANAGER_OR_ADMIN,
    "member": PROJECT_MEMBER_OR_ADMIN,
    "reader": PROJECT_READER_OR_ADMIN,
    "service": SERVICE_OR_ADMIN,
    "user": ADMIN_OR_OWNING_USER,
    "anyone": ANYONE,
    "nobody": NOBODY,
}

CALLERS = {
    "admin": ("admin",),
    "manager": ("manager",),
    "member": ("member",),
    "reader": ("reader",),
    "service": ("service",),
    "none": (),
}

OWN = {
    "admin": {"admin"},
    "manager": {"admin", "manager"},
    "member": {"admin", "manager", "member"},
    "reader": {"admin", "manager", "member", "reader"},
    "service": {"admin", "service"},
    "user": set(CALLERS),
    "anyone": set(CALLERS),
    "nobody": set(),
}


def policy(clock: StoppedClock | None = None, **options) -> Policy:
    rules = [Rule(f"t:{name}", check) for name, check in RULES.items()]
    return Policy(rules, PolicyConf(**options), clock or StoppedClock())


def caller(name: str, project: str = "p1", user: str = "u1") -> RequestContext:
    return RequestContext(request_id="r", user_id=user, project_id=project, roles=with_implied(CALLERS[name]))


@pytest.mark.parametrize("rule", RULES)
def test_matrix_of_roles(rule: str) -> None:
    known = policy()
    own = {name for name in CALLERS if known.may(caller(name), f"t:{rule}")}
    assert own == OWN[rule]
    foreign = Target(project_id="p2", user_id="u2")
    other = {name for name in CALLERS if known.may(caller(name), f"t:{rule}", foreign)}
    crosses = {"service": {"service"}, "anyone": set(CALLERS)}.get(rule, set())
    assert other == (OWN[rule] & {"admin"}) | crosses


def test_refusal_names_the_rule() -> None:
    with pytest.raises(PolicyForbids) as caught:
        policy().require(caller("reader"), "t:member")
    assert str(caught.value) == "Policy doesn't allow t:member to be performed."
    policy().require(caller("member"), "t:member")


def test_unknown_rules_are_mistakes_of_ours() -> None:
    with pytest.raises(LookupError):
        policy().may(caller("admin"), "t:typo")
    with pytest.raises(ValueError, match="two defaults"):
        Policy([Rule("a", ADMIN), Rule("a", ANYONE)], PolicyConf(), StoppedClock())


def test_is_admin_is_a_rule() -> None:
    assert policy().is_admin(("admin",))
    assert not policy().is_admin(("member",))


def write(file: Path, text: str, stamp: int) -> None:
    file.write_text(text)
    os.utime(file, (stamp, stamp))


def test_file_overrides_and_is_read_again(tmp_path: Path) -> None:
    file, clock = tmp_path / "policy.yaml", StoppedClock()
    write(file, '"t:member": "role:reader"\n"context_is_admin": "role:boss"\n', 1_000_000_000)
    known = policy(clock, policy_file=str(file), reload_seconds=5.0)
    assert known.may(caller("reader"), "t:member")
    assert not known.may(caller("admin"), "t:admin")
    assert known.is_admin(("boss",))
    write(file, '"t:member": "!"\n', 1_000_000_100)
    assert known.may(caller("reader"), "t:member"), "decisions are kept between two looks"
    clock.advance(6)
    assert not known.may(caller("member"), "t:member")
    assert known.may(caller("admin"), "t:admin")


def test_old_defaults_on_demand() -> None:
    owner = RequestContext(request_id="r", user_id="u1", project_id="p1", roles=("oldrole",))
    assert not policy().may(owner, "t:member")
    older = policy(enforce_new_defaults=False)
    assert older.may(owner, "t:member")
    assert not older.may(owner, "t:member", Target("p2", "u2"))
    assert not older.may(owner, "t:admin")


def test_sample_shows_every_rule_commented_out() -> None:
    text = sample([Rule("t:x", ADMIN, "Does x.", (("GET", "/x"),)), Rule("t:x", ADMIN, "", (("PUT", "/x"),))])
    assert '# Does x.\n# GET  /x\n# PUT  /x\n#"t:x": "rule:context_is_admin"\n' in text
    assert '#"context_is_admin": "role:admin"' in text
    assert all(line.startswith("#") or not line for line in text.splitlines())
