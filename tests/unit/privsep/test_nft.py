import pytest

from nova.errors.host import CommandFailed
from nova.privsep.nft import Nft
from tests.support import netns

pytestmark = pytest.mark.skipif(not netns.CAN_MAKE, reason="network namespaces need root")

BODY = """
    chain forward {
        type filter hook forward priority filter; policy accept;
        ip saddr 192.0.2.1 drop
    }
"""


@pytest.fixture
def space():
    with netns.namespace("nft") as made:
        yield made


def test_a_table_is_replaced_as_a_whole_and_others_are_left_alone(space):
    space.run("nft", "add table ip foreign")

    def act():
        nft = Nft()
        assert nft.listing("ip", "mine") is None
        nft.replace("ip", "mine", BODY)
        first = nft.listing("ip", "mine")
        assert "192.0.2.1" in first
        nft.replace("ip", "mine", BODY)
        assert nft.listing("ip", "mine") == first
        nft.replace("ip", "mine", BODY.replace("192.0.2.1", "192.0.2.2"))
        assert "192.0.2.1" not in nft.listing("ip", "mine")
        return nft

    nft = space.inside(act)
    assert "table ip foreign" in space.run("nft", "list tables").stdout
    space.inside(lambda: (nft.remove("ip", "mine"), nft.remove("ip", "mine")))
    assert space.inside(lambda: nft.listing("ip", "mine")) is None


def test_a_wrong_table_changes_nothing(space):
    def act():
        nft = Nft()
        nft.replace("ip", "mine", BODY)
        before = nft.listing("ip", "mine")
        with pytest.raises(CommandFailed):
            nft.replace("ip", "mine", "chain broken { nonsense; }")
        assert nft.listing("ip", "mine") == before

    space.inside(act)
