import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova.api.metadata.who import Identification
from nova.conf.metadata import MetadataConf
from nova.errors import NovaError
from tests.unit.api.metadata.conftest import Service

PATH = "/latest/meta-data/local-ipv4"
INSTANCE = "11111111-1111-4111-8111-111111111111"
SECRET = "the key"


def signed(instance=INSTANCE, secret=SECRET):
    return hmac.new(secret.encode(), instance.encode(), hashlib.sha256).hexdigest()


@pytest.fixture
def proxied(conductor):
    return Service(conductor, signed=True, secret=SECRET)


def test_a_forwarded_header_is_refused_unless_it_is_wanted(service):
    assert service.code(PATH, x_forwarded_for="10.0.0.6") == 403


def test_only_trusted_proxies_may_forward(conductor):
    service = Service(conductor, use_forwarded_for=True, trusted_proxies=("192.0.2.0/28", "127.0.0.1"))
    assert service.ask(PATH, peer="192.0.2.3", x_forwarded_for="10.0.0.6")[1] == b"10.0.0.6"
    # a proxy appends whom it saw: what the guest itself wrote before that does not count
    assert service.ask(PATH, peer="192.0.2.3", x_forwarded_for="10.0.0.5, 10.0.0.6")[1] == b"10.0.0.6"
    assert service.ask(PATH, peer="192.0.2.3", x_forwarded_for="10.0.0.6, 192.0.2.4")[1] == b"10.0.0.6"
    assert service.code(PATH, peer="10.0.0.5", x_forwarded_for="10.0.0.6") == 403
    assert service.code(PATH, peer="192.0.2.77", x_forwarded_for="10.0.0.6") == 403
    assert service.code(PATH, peer="192.0.2.3", x_forwarded_for="nonsense") == 400
    assert service.code(PATH, peer="192.0.2.3", x_forwarded_for="10.0.0.6, nonsense") == 400
    assert service.ask(PATH, peer="10.0.0.5")[1] == b"10.0.0.5"


def test_an_instance_id_means_nothing_without_the_proxy(service):
    answer = service.ask(
        PATH, peer="10.0.0.6", x_instance_id=INSTANCE, x_instance_id_signature=signed(), x_tenant_id="proj"
    )
    assert answer[1] == b"10.0.0.6"


def test_a_signature_proves_the_instance(proxied):
    good = {"x_instance_id": INSTANCE, "x_instance_id_signature": signed(), "x_tenant_id": "proj"}
    assert proxied.ask(PATH, peer="192.0.2.1", **good)[1] == b"10.0.0.5"
    assert proxied.code(PATH, **good | {"x_instance_id_signature": signed(secret="guessed")}) == 403
    assert proxied.code(PATH, **good | {"x_instance_id_signature": "é"}) == 403
    other = "33333333-3333-4333-8333-333333333333"
    assert proxied.code(PATH, **good | {"x_instance_id": other}) == 403
    assert proxied.code(PATH, **good | {"x_tenant_id": "other"}) == 404
    unknown = "44444444-4444-4444-8444-444444444444"
    assert (
        proxied.code(PATH, **good | {"x_instance_id": unknown, "x_instance_id_signature": signed(unknown)})
        == 404
    )
    for missing in good:
        assert proxied.code(PATH, **{k: v for k, v in good.items() if k != missing}) == 400
        assert proxied.code(PATH, **good | {missing: f"{good[missing]},{good[missing]}"}) == 400


def test_nobody_is_answered_by_address_when_a_proxy_must_sign(proxied):
    assert proxied.code(PATH) == 400


def test_a_password_is_kept_for_the_signed_instance(proxied, conductor):
    good = {"x_instance_id": INSTANCE, "x_instance_id_signature": signed(), "x_tenant_id": "proj"}
    # whatever address is claimed: the signature is what counts
    code = proxied.code(
        "/openstack/latest/password", method="POST", body=b"pw", x_forwarded_for="10.0.0.6", **good
    )
    assert code == 200
    assert conductor.by_address["10.0.0.5"].password == "pw"
    assert conductor.by_address["10.0.0.6"].password == ""


def test_signing_without_a_key_is_refused_at_the_start():
    with pytest.raises(ValueError, match="shared_secret"):
        Identification(MetadataConf(signed=True))


HEADERS = st.sampled_from(
    ["HTTP_X_FORWARDED_FOR", "HTTP_X_INSTANCE_ID", "HTTP_X_TENANT_ID", "HTTP_X_INSTANCE_ID_SIGNATURE"]
)


@given(st.dictionaries(HEADERS, st.text(alphabet=st.characters(max_codepoint=255))), st.booleans())
def test_nobody_becomes_another_by_headers(headers, by_signature):
    conf = MetadataConf(signed=by_signature, secret=SECRET, use_forwarded_for=True)
    try:
        asker = Identification(conf).of({"REMOTE_ADDR": "10.0.0.5", **headers})
    except NovaError as error:
        assert error.http in (400, 403)
    else:
        assert not by_signature and asker.address == "10.0.0.5"


def test_names_with_a_dot_are_those_of_the_operator(conductor):
    service = Service(conductor, server_names=("Metadata.Example.Org",))
    assert service.code(PATH, host="metadata.example.org:80") == 200
    assert service.code(PATH, host="169.254.169.254") == 200
    assert service.code(PATH, host="evil.example.org") == 403
    proxied = Service(conductor, signed=True, secret=SECRET)
    headers = {"x_instance_id": INSTANCE, "x_instance_id_signature": signed(), "x_tenant_id": "proj"}
    assert proxied.code(PATH, host="evil.example.org", **headers) == 200, "no page can sign"
