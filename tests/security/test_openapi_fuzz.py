"""schemathesis over every operation at microversions of several years: what fits and what does not.

The cases are drawn from a fixed seed; where schemas did not change between two versions they are drawn once
and sent at both.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode

from nova.api.wsgi.openapi import document
from nova.api.wsgi.operation import Operation
from nova.api.wsgi.version import Version
from nova_tools.waiting import wait_until
from tests.security.answers import SLOWEST_S, complaint
from tests.security.doors import FUZZED, doors, editions
from tests.security.process import OwnProcess, own_process

MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
FRESH, REPLAYED = 4, 2
GROWTH_BYTES = 80 << 20
_NAMES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x24F, exclude_characters=":"), min_size=1)

schemathesis.openapi.format("uuid", st.uuids().map(str))
schemathesis.openapi.format("regex", st.sampled_from(["^a", ".*", "(a+)+$", "[", "a{1,3}", "(?i)x", "\\d"]))
schemathesis.openapi.format("base64", st.sampled_from(["", "aGk=", "AAAA", "eA=="]))
schemathesis.openapi.format("cidr", st.sampled_from(["0.0.0.0/0", "10.0.0.0/8", "::/0", "192.0.2.1/32"]))
for _name in ("name", "name_with_leading_trailing_spaces", "az_name", "printable"):
    schemathesis.openapi.format(_name, _NAMES)
schemathesis.openapi.format("az_name_with_leading_trailing_spaces", _NAMES)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnProcess]:
    with own_process(tmp_path_factory.mktemp("fuzz"), extra="[quota]\ninstances = 20\n") as running:
        yield running


@pytest.fixture(scope="module")
def known(cloud: OwnProcess) -> dict[str, list[str]]:
    """Return things that exist, by the name of the path variable that may hold them."""
    server = cloud.admin.boot(cloud.image, metadata={"key": "value"}, tags=["tag"])
    cloud.admin.wait(server, "ACTIVE")
    group = {"server_group": {"name": "g", "policy": "affinity"}}
    made = cloud.admin.ask("POST", "/os-server-groups", group).body["server_group"]["id"]
    rules = cloud.admin.ask(
        "POST", "/os-security-groups", {"security_group": {"name": "g", "description": ""}}, version="2.1"
    )
    zone = {"aggregate": {"name": "a", "availability_zone": None}}
    aggregate = cloud.admin.ask("POST", "/os-aggregates", zone, version="2.1").body["aggregate"]["id"]
    ids = [server, made, rules.body["security_group"]["id"], str(aggregate), cloud.image, "1", "admin", "one"]
    return {"": ids, "server_id": [server], "flavor_id": ["1", "2"], "key": ["key"], "tag": ["tag"]}


class Corpus:
    """The cases of each edition of an operation that was met so far."""

    def __init__(self, known: dict[str, list[str]]) -> None:
        self._known = known
        self._cases: dict[str, list[Any]] = {}

    def of(self, operation: Operation, version: Version) -> list[Any]:
        """Return cases for an operation at a version: fresh ones for schemas that were not met before."""
        described = document([operation], editions(), version)
        described.pop("security")
        (place,) = described["paths"].values()
        (method,) = place.values()
        for parameter in method["parameters"]:
            if parameter["in"] == "path":
                ids = self._known.get(parameter["name"], self._known[""])
                parameter["schema"] = {"anyOf": [{"enum": ids}, {"enum": ids}, {"type": "string"}]}
        text = json.dumps([operation.name, method["parameters"], method.get("requestBody")])
        if text in self._cases:
            cases = self._cases[text]
            return cases[:REPLAYED] + cases[-REPLAYED:]
        bare = "requestBody" not in method and all(p["in"] == "path" for p in method["parameters"])
        # Without query and body every request fits: looking for one that does not would be in vain.
        modes = MODES[:1] if bare else MODES
        cases = self._cases[text] = [case for mode in modes for case in _drawn(described, mode)]
        assert cases, f"{operation.name} cannot be asked at all"
        return cases


def _drawn(described: dict[str, Any], mode: GenerationMode) -> list[Any]:
    (found,) = schemathesis.openapi.from_dict(described).get_all_operations()
    cases: list[Any] = []

    @hypothesis.settings(
        max_examples=FRESH, derandomize=True, database=None, deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck), phases=[hypothesis.Phase.generate],
    )  # fmt: skip
    @hypothesis.given(found.ok().as_strategy(generation_mode=mode))
    def draw(case: Any) -> None:
        cases.append(case)

    # Some actions have no argument that is right any more; all that can be sent is wrong then.
    with contextlib.suppress(hypothesis.errors.Unsatisfiable):
        draw()
    return cases


@pytest.fixture(scope="module")
def corpus(known: dict[str, list[str]]) -> Corpus:
    return Corpus(known)


@pytest.mark.parametrize("version", FUZZED, ids=str)
def test_no_request_is_answered_with_a_surprise(cloud: OwnProcess, corpus: Corpus, version: Version) -> None:
    session = requests.Session()
    headers = {"X-Auth-Token": "admin:admin", "OpenStack-API-Version": f"compute {version}"}
    complaints, sent, before = [], 0, cloud.resident_bytes()
    for operation in doors(version):
        for case in corpus.of(operation, version):
            sent += 1
            answer = case.call(
                base_url=f"http://127.0.0.1:{cloud.port}/v2.1", session=session, headers=headers,
                timeout=SLOWEST_S, allow_redirects=False,
            )  # fmt: skip
            raw = {key.lower(): values[0] for key, values in answer.headers.items()}
            said = complaint(answer.status_code, raw, answer.content)
            if said:
                complaints.append(f"{operation.name} {case.as_curl_command()[:600]}\n    {said}")
    assert not complaints, f"{len(complaints)} of {sent}:\n" + "\n".join(complaints[:20])
    assert sent > 100
    assert cloud.serves()
    assert "Traceback" not in cloud.log
    wait_until(lambda: cloud.resident_bytes() - before < GROWTH_BYTES, 5)
    assert cloud.resident_bytes() - before < GROWTH_BYTES
