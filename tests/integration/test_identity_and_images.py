"""Keystone and Glance, started by hand, serve accounts, a catalogue and images to the stock client."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator

import pytest

from nova_tools.api_client import ApiError, password_token, request
from nova_tools.guest_image import GLANCE_PROPERTIES
from nova_tools.services.glance import Glance
from tests.support.glance import glance
from tests.support.guest_image import guest_image
from tests.support.installed import clients_environment
from tests.support.keystone import RunningKeystone, keystone


@pytest.fixture(scope="module")
def identity() -> Iterator[RunningKeystone]:
    with keystone() as server:
        yield server


@pytest.fixture(scope="module")
def images(identity: RunningKeystone) -> Iterator[Glance]:
    with glance(identity) as server:
        yield server


def test_every_account_logs_in_with_its_roles(identity: RunningKeystone) -> None:
    for user, role in (("admin", "admin"), ("demo", "member"), ("reader", "reader"), ("nova", "service")):
        token = identity.token(user).value
        subject = {"X-Subject-Token": token}
        seen = request("GET", f"{identity.url}/auth/tokens", token=token, headers=subject)["token"]
        assert role in {given["name"] for given in seen["roles"]}
    assert identity.token("demo").project_id == identity.token("reader").project_id
    assert identity.token("demo").project_id != identity.token("alt_demo").project_id
    with pytest.raises(ApiError) as refused:
        password_token(identity.url, "demo", "wrong", "demo")
    assert refused.value.status == 401


def test_a_service_moves_in_the_catalogue(identity: RunningKeystone) -> None:
    identity.register("compute", "nova", "http://127.0.0.1:1/v2.1")
    identity.register("compute", "nova", "http://127.0.0.1:2/v2.1")
    assert identity.token("demo").endpoints["compute"] == "http://127.0.0.1:2/v2.1"


def test_an_image_is_stored_once_and_read_by_the_stock_client(
    identity: RunningKeystone, images: Glance
) -> None:
    admin = identity.token().value
    stored = images.store(admin, "tiny", guest_image().disk, GLANCE_PROPERTIES)
    assert images.store(admin, "tiny", guest_image().disk, GLANCE_PROPERTIES) == stored
    shown = subprocess.run(
        [clients_environment() / "bin/openstack", "image", "show", "tiny", "-f", "json"],
        env={**os.environ, **identity.environment("demo")},
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    image = json.loads(shown.stdout)
    assert (image["id"], image["status"], image["disk_format"]) == (stored, "active", "qcow2")
    assert image["properties"]["hw_disk_bus"] == "virtio"
