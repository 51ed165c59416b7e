from __future__ import annotations

import datetime
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from nova.conductor.endpoints.catalog import CatalogEndpoint
from nova.conductor.services import key_material
from nova.conductor.world import World
from nova.context import RequestContext
from nova.errors.admin import (
    FlavorAccessExists,
    FlavorAccessNotFound,
    FlavorExists,
    FlavorExtraSpecNotFound,
    FlavorIsPublic,
    KeyPairInvalid,
    OutOfQuota,
)
from nova.errors.database import MarkerNotFound
from nova.errors.servers import FlavorNotFound, KeyPairExists, KeyPairNotFound
from nova.objects.page import Page
from tests.unit.conductor.services.makers import flavor

ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5MBGyFXAi2CP9jWjbB1mKCgE3cEYzMjBDEcYzfLRCa me@home"
"""The blob of its second word is the type with its length, and 32 bytes with theirs."""


@pytest.fixture
def catalog(world: World) -> CatalogEndpoint:
    made = CatalogEndpoint()
    made.world = world
    return made


class TestFlavors:
    def test_private_flavors_are_seen_by_those_with_access(
        self, catalog: CatalogEndpoint, ctx: RequestContext, other: RequestContext, admin: RequestContext
    ) -> None:
        catalog.create_flavor(admin, flavor(id="1", name="open"))
        catalog.create_flavor(admin, flavor(id="2", name="closed", is_public=False))
        catalog.add_flavor_access(admin, "2", "p1")

        def seen(who: RequestContext, is_public: bool | None) -> list[str]:
            return [f.id for f in catalog.list_flavors(who, Page(), is_public, 0, 0)]

        assert seen(ctx, True) == ["1", "2"]
        assert seen(other, None) == ["1"], "only administrators see all"
        assert seen(other, False) == ["1"]
        assert seen(admin, None) == ["1", "2"]
        assert seen(admin, True) == ["1"]
        assert seen(admin, False) == ["2"]
        assert catalog.show_flavor(ctx, "2").name == "closed"
        with pytest.raises(FlavorNotFound):
            catalog.show_flavor(other, "2")

    def test_pages_are_sorted_and_follow_the_marker(
        self, catalog: CatalogEndpoint, admin: RequestContext
    ) -> None:
        for number, ram in enumerate((512, 128, 256)):
            catalog.create_flavor(
                admin, flavor(id=str(number), name=f"f{number}", ram_mb=ram, root_gb=number)
            )

        def listed(page: Page, ram: int = 0, disk: int = 0) -> list[str]:
            return [f.id for f in catalog.list_flavors(admin, page, None, ram, disk)]

        assert listed(Page(sort_key="memory_mb")) == ["1", "2", "0"]
        assert listed(Page(sort_key="memory_mb", sort_dir="desc", marker="0", limit=1)) == ["2"]
        assert listed(Page(limit=0)) == []
        assert listed(Page(), ram=200) == ["0", "2"]
        assert listed(Page(), disk=2) == ["2"]
        with pytest.raises(MarkerNotFound):
            listed(Page(marker="9"))

    def test_id_and_name_are_taken_once(self, catalog: CatalogEndpoint, admin: RequestContext) -> None:
        made = catalog.create_flavor(admin, flavor(id="", name="a"))
        assert len(made.id) == 36 and made.created_at == catalog.world.clock.now()
        with pytest.raises(FlavorExists, match="Flavor with name a already exists"):
            catalog.create_flavor(admin, flavor(id="9", name="a"))
        with pytest.raises(FlavorExists, match=f"Flavor with ID {made.id} already exists"):
            catalog.create_flavor(admin, flavor(id=made.id, name="b"))

    def test_extra_specs_and_description(self, catalog: CatalogEndpoint, admin: RequestContext) -> None:
        catalog.create_flavor(admin, flavor())
        assert catalog.put_extra_specs(admin, "2", {"a": "1", "b": "2"}) == {"a": "1", "b": "2"}
        assert catalog.put_extra_specs(admin, "2", {"a": "3"}) == {"a": "3", "b": "2"}
        catalog.delete_extra_spec(admin, "2", "b")
        with pytest.raises(FlavorExtraSpecNotFound):
            catalog.delete_extra_spec(admin, "2", "b")
        assert catalog.update_flavor(admin, "2", "words").description == "words"
        assert catalog.show_flavor(admin, "2").extra_specs == {"a": "3"}
        catalog.delete_flavor(admin, "2")
        for gone in (
            lambda: catalog.delete_flavor(admin, "2"),
            lambda: catalog.update_flavor(admin, "2", None),
            lambda: catalog.list_flavor_access(admin, "2"),
        ):
            with pytest.raises(FlavorNotFound):
                gone()

    def test_access_lists(self, catalog: CatalogEndpoint, admin: RequestContext) -> None:
        catalog.create_flavor(admin, flavor(id="1", name="open"))
        catalog.create_flavor(admin, flavor(id="2", name="closed", is_public=False))
        catalog.add_flavor_access(admin, "2", "p1")
        assert [a.project_id for a in catalog.list_flavor_access(admin, "2")] == ["p1"]
        with pytest.raises(FlavorAccessExists):
            catalog.add_flavor_access(admin, "2", "p1")
        catalog.remove_flavor_access(admin, "2", "p1")
        with pytest.raises(FlavorAccessNotFound):
            catalog.remove_flavor_access(admin, "2", "p1")
        with pytest.raises(FlavorIsPublic):
            catalog.list_flavor_access(admin, "1")


class TestKeyPairs:
    def test_import_show_list_delete(
        self, catalog: CatalogEndpoint, ctx: RequestContext, other: RequestContext, admin: RequestContext
    ) -> None:
        for name in ("b", "a", "c"):
            made = catalog.create_keypair(ctx, name, ED25519, "ssh", None)
            assert made.private_key is None and made.keypair.id > 0
        shown = catalog.show_keypair(ctx, "a", None)
        assert shown.public_key == ED25519 and shown.created_at == catalog.world.clock.now()
        assert [k.name for k in catalog.list_keypairs(ctx, None, Page())] == ["a", "b", "c"]
        assert [k.name for k in catalog.list_keypairs(ctx, None, Page(marker="a", limit=1))] == ["b"]
        assert [k.name for k in catalog.list_keypairs(admin, "u1", Page())] == ["a", "b", "c"]
        with pytest.raises(MarkerNotFound):
            catalog.list_keypairs(ctx, None, Page(marker="nothing"))
        with pytest.raises(KeyPairExists):
            catalog.create_keypair(ctx, "a", ED25519, "ssh", None)
        for wrong in (
            lambda: catalog.show_keypair(other, "a", None),
            lambda: catalog.show_keypair(other, "a", "u1"),
            lambda: catalog.delete_keypair(other, "a", "u1"),
        ):
            with pytest.raises(KeyPairNotFound):
                wrong()
        catalog.delete_keypair(ctx, "a", None)
        with pytest.raises(KeyPairNotFound):
            catalog.delete_keypair(ctx, "a", None)

    def test_the_quota_counts_and_deleting_gives_back(
        self, catalog: CatalogEndpoint, ctx: RequestContext
    ) -> None:
        catalog.world.settings.quotas["key_pairs"] = 1
        catalog.create_keypair(ctx, "a", ED25519, "ssh", None)
        with pytest.raises(KeyPairExists):
            catalog.create_keypair(ctx, "a", ED25519, "ssh", None)
        with pytest.raises(OutOfQuota, match="Quota exceeded, too many key pairs"):
            catalog.create_keypair(ctx, "b", ED25519, "ssh", None)
        catalog.delete_keypair(ctx, "a", None)
        catalog.create_keypair(ctx, "b", ED25519, "ssh", None)

    def test_a_pair_that_is_made_fits_together(self, catalog: CatalogEndpoint, ctx: RequestContext) -> None:
        made = catalog.create_keypair(ctx, "a", None, "ssh", None)
        assert made.private_key is not None
        private = serialization.load_pem_private_key(made.private_key.encode(), None)
        public = private.public_key().public_bytes(
            serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        )
        assert made.keypair.public_key == f"{public.decode()} Generated-by-Nova"
        assert made.keypair.fingerprint == key_material.ssh_fingerprint(public.decode())
        assert made.private_key not in str(catalog.show_keypair(ctx, "a", None))

    def test_a_certificate_that_is_made_names_its_user(
        self, catalog: CatalogEndpoint, ctx: RequestContext
    ) -> None:
        made = catalog.create_keypair(ctx, "a", None, "x509", None)
        certificate = x509.load_pem_x509_certificate(made.keypair.public_key.encode())
        der = certificate.public_bytes(serialization.Encoding.DER)
        assert made.keypair.fingerprint.replace(":", "") == hashlib.sha1(der).hexdigest()
        (upn,) = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert isinstance(upn, x509.OtherName) and upn.value == b"\x0c\x0cu1@localhost"
        again = catalog.create_keypair(ctx, "b", made.keypair.public_key, "x509", None)
        assert again.keypair.fingerprint == made.keypair.fingerprint and again.private_key is None

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "ssh-rsa",
            "ssh-rsa AAAA",
            "ssh-rsa !!!! x",
            ED25519.replace("ssh-ed25519", "ssh-rsa"),
            f"{ED25519}\n{ED25519}",
        ],
    )
    def test_what_is_no_key_is_refused(self, text: str) -> None:
        with pytest.raises(KeyPairInvalid):
            key_material.ssh_fingerprint(text)

    @given(st.text())
    def test_reading_keys_never_fails_otherwise(self, text: str) -> None:
        for read in (key_material.ssh_fingerprint, key_material.x509_fingerprint):
            with pytest.raises(KeyPairInvalid):
                read(text)

    def test_long_user_names_fit_into_certificates(self) -> None:
        now = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
        _, public, _ = key_material.new_x509("ü" * 200, now)
        names = x509.load_pem_x509_certificate(public.encode()).extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
        (upn,) = names.value
        assert isinstance(upn, x509.OtherName)
        assert upn.value == b"\x0c\x82" + (410).to_bytes(2, "big") + ("ü" * 200 + "@localhost").encode()
