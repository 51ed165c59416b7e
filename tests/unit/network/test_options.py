import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova.conf import load
from nova.network import options
from nova.network.render.dnsmasq import host_label


def test_defaults_and_old_names(tmp_path):
    file = tmp_path / "nova.conf"
    file.write_text("[DEFAULT]\ndhcp_lease_time = 600\ndmz_cidr = 10.0.0.0/8,192.0.2.0/24\ndhcp_domain =\n")
    read = options.read(load([], files=[str(file)]))
    assert read.networks_path == "/var/lib/nova/networks"
    assert read.lease_socket == "/var/lib/nova/networks/leases.sock"
    assert (read.dhcp_lease_time, read.dmz_cidr, read.dhcp_domain) == (
        600,
        ("10.0.0.0/8", "192.0.2.0/24"),
        "",
    )
    assert read.metadata_host is None


def test_a_wrong_table_name_is_refused(tmp_path):
    file = tmp_path / "nova.conf"
    file.write_text("[network]\nfirewall_table = x; flush ruleset\n")
    with pytest.raises(Exception, match="firewall_table"):
        options.read(load([], files=[str(file)]))


@pytest.mark.parametrize(
    ("given_name", "label"),
    [
        ("web-1", "web-1"),
        ("Web 1", "web-1"),
        ("web.example.org", "web"),
        ("---", None),
        ("", None),
        (None, None),
        ("a" * 64, "aa-" + "a" * 60),
        ("x,\n02:00:00:00:00:01", "x-02-00-00-00-00-01"),
    ],
)
def test_host_labels(given_name, label):
    assert host_label(given_name) == label


@given(st.text())
def test_a_host_label_is_always_a_dns_label(name):
    label = host_label(name)
    assert label is None or (len(label) <= 63 and label.strip("-") == label and label.isascii())
