"""Where console tokens lead."""

from __future__ import annotations

from nova.objects.console import ConsoleAuthorization
from tests.unit.api.compute.site import ADMIN, site

# SHA-256 of "abc", as FIPS 180-2 gives it.
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


class Tokens:
    """Knows one token."""

    def find_console_token(self, ctx, token_hash):
        if token_hash != ABC:
            return None
        return ConsoleAuthorization(
            instance_id="s1", protocol="vnc", type="novnc", host="10.0.0.1", port=5900
        )


def test_tokens_are_for_administrators_from_2_31() -> None:
    call = site(Tokens())
    path = "/v2.1/os-console-auth-tokens/"
    assert call("GET", path + "abc", user=ADMIN, version="2.31").json == {
        "console": {"instance_uuid": "s1", "host": "10.0.0.1", "port": 5900, "internal_access_path": None}
    }
    assert call("GET", path + "abd", user=ADMIN, version="2.31").status_int == 404
    assert call("GET", path + "abc", user=ADMIN, version="2.30").status_int == 400
    assert call("GET", path + "abc", version="2.31").status_int == 403
