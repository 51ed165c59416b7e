"""The sources that need no Keystone."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from nova.clock import StoppedClock
from nova.errors.http import IdentityUnavailable, Unauthorized
from nova.identity import Credentials
from nova.identity.noauth import NoAuth
from nova.identity.static import StaticIdentity


def test_noauth_believes() -> None:
    who = NoAuth().authenticate(Credentials(token="joe:p1"))
    assert (who.user_id, who.project_id, who.roles) == ("joe", "p1", ("member", "reader"))
    who = NoAuth().authenticate(Credentials(token="admin:p1"))
    assert who.roles == ("admin", "manager", "member", "reader")
    assert NoAuth().authenticate(Credentials(token="admin")).project_id == "admin"
    who = NoAuth().authenticate(
        Credentials(token="x:y", claimed_user="ann", claimed_project="p2", claimed_roles="Reader, service")
    )
    assert (who.user_id, who.project_id, who.roles) == ("ann", "p2", ("reader", "service"))


def test_noauth_still_wants_a_token() -> None:
    with pytest.raises(Unauthorized):
        NoAuth().authenticate(Credentials())


def write(path: Path, tokens: dict, stamp: int) -> None:
    path.write_text(json.dumps({"tokens": tokens}))
    os.utime(path, ns=(stamp, stamp))


def test_static_tokens(tmp_path: Path) -> None:
    file, clock = tmp_path / "tokens.json", StoppedClock()
    digest = "sha256:" + hashlib.sha256(b"hidden").hexdigest()
    write(
        file,
        {
            "plain": {"user_id": "u1", "project_id": "p1", "roles": ["admin"]},
            digest: {"user_id": "u2", "project_id": "p2", "user_name": "two"},
        },
        1,
    )
    identity = StaticIdentity(file, clock)
    assert identity.authenticate(Credentials(token="plain")).roles == ("admin", "manager", "member", "reader")
    who = identity.authenticate(Credentials(token="hidden"))
    assert (who.user_id, who.user_name, who.roles) == ("u2", "two", ("member", "reader"))
    for wrong in ("", "other", digest):
        with pytest.raises(Unauthorized):
            identity.authenticate(Credentials(token=wrong))


def test_static_file_is_read_again_and_survives_a_bad_edit(tmp_path: Path) -> None:
    file, clock = tmp_path / "tokens.json", StoppedClock()
    write(file, {"a": {"user_id": "u", "project_id": "p"}}, 1)
    identity = StaticIdentity(file, clock)
    identity.authenticate(Credentials(token="a"))
    write(file, {"b": {"user_id": "u", "project_id": "p"}}, 2)
    clock.advance(10)
    identity.authenticate(Credentials(token="b"))
    with pytest.raises(Unauthorized):
        identity.authenticate(Credentials(token="a"))
    file.write_text("{")
    clock.advance(10)
    identity.authenticate(Credentials(token="b"))


def test_no_static_file_at_all(tmp_path: Path) -> None:
    with pytest.raises(IdentityUnavailable):
        StaticIdentity(tmp_path / "none", StoppedClock()).authenticate(Credentials(token="a"))
