"""Daemons start in any order, with nothing there that they need, say what they wait for, and then serve."""

from __future__ import annotations

import json
import random

import pytest

from nova_tools.api_client import ApiError, request
from nova_tools.torture.cloud import Cloud
from nova_tools.torture.daemons import Daemon
from nova_tools.torture.form import Form
from tests.support.eventually import eventually
from tests.support.services import scratch_directory
from tests.support.split_cloud import admin, findings

WORDS = {
    "conductor": "the database with its schema (nova-manage db sync)",
    "scheduler": "the conductor",
    "network": "the conductor",
    "compute": "the hypervisor and the conductor",
}
"""What each waits for as long as there is neither broker nor database; the others wait in each request."""


def page(daemon: Daemon) -> dict[str, object] | None:
    """Return what a daemon says of its readiness; none when it says nothing yet."""
    url = f"http://127.0.0.1:{daemon.role.health}/readyz"
    try:
        found: dict[str, object] = request("GET", url, seconds=5)
    except ApiError as error:
        found = json.loads(error.body)
    except OSError:
        return None
    return found


def waits_for(daemon: Daemon) -> str:
    """Return what a daemon says that it waits for, all in one line; empty when it serves or says nothing."""
    told = page(daemon)
    return " ".join(str(one["waiting_for"]) for one in told["daemons"].values()) if told else ""  # type: ignore[attr-defined]


@pytest.mark.timeout(600)
def test_the_order_does_not_matter_and_each_says_what_it_waits_for() -> None:
    with scratch_directory("order") as home:
        cloud = Cloud(Form(hosts=1, single=True), home)
        cloud.configure()
        order = list(cloud.daemons)
        random.Random(5).shuffle(order)
        early, late = order[: len(order) // 2], order[len(order) // 2 :]
        try:
            for daemon in early:
                daemon.start()
            for daemon in early:
                if (words := WORDS.get(daemon.role.program)) is not None:
                    eventually(lambda d=daemon, w=words: w in waits_for(d), within_s=90, what=words)
            cloud.backing.start()
            for daemon in late:
                daemon.start()
            for daemon in order:
                if (words := WORDS.get(daemon.role.program)) is not None:
                    eventually(lambda d=daemon, w=words: w in waits_for(d), within_s=90, what=words)
            cloud.make_schema()
            for daemon in order:
                eventually(daemon.ready, within_s=120, what=f"{daemon.role.name} to serve")
                assert daemon.starts == 1 and not daemon.ended
            assert admin(cloud).ask("GET", "/servers").status == 200
            eventually(lambda: findings(cloud) == [], within_s=60)
        finally:
            cloud.stop()
