"""What flavors and images ask of hosts."""

from __future__ import annotations

import pytest

from nova.scheduler.filters.image_properties import satisfies
from nova.scheduler.host_table import HostTable
from nova.scheduler.spec_match import matches
from tests.support.scheduling import aggregate, flavor, image, passing, reason, request, view


@pytest.mark.parametrize(
    ("have", "wanted", "answer"),
    [
        ("kvm", "kvm", True),
        ("kvm", "qemu", False),
        (4, "4", True),
        (4.0, "4", True),
        (4, "= 3", True),
        (4, "= 5", False),
        (4, "== 4", True),
        (4, "== 3", False),
        (4, "!= 3", True),
        (4, ">= 4", True),
        (4, "> 4", False),
        (4, "<= 4", True),
        (4, "< 4", False),
        ("abc", ">= 4", False),
        ("abc", "s== abc", True),
        ("abc", "s!= abc", False),
        ("abc", "s< abd", True),
        ("abc", "s<= abc", True),
        ("abc", "s> abb", True),
        ("abc", "s>= abd", False),
        ("12311321", "<in> 11", True),
        ("12310321", "<in> 11", False),
        (["aes", "avx2"], "<in> avx", False),
        (["aes", "avx2"], "<in> avx2", True),
        (["aes", "avx2", "mmx"], "<all-in> aes mmx", True),
        (["aes", "avx2"], "<all-in> aes mmx", False),
        ("12", "<or> 11 <or> 12", True),
        ("13", "<or> 11 <or> 12", False),
        ("x", "<in>", False),
        ("x", "<all-in>", False),
        (4, ">=", False),
        ("", "", True),
    ],
)
def test_operators_of_extra_specs(have, wanted, answer) -> None:
    assert matches(have, wanted) is answer


@pytest.mark.parametrize(
    ("specs", "hosts"),
    [
        ({}, ["intel", "old"]),
        ({"capabilities__hypervisor_type": "qemu"}, ["intel", "old"]),
        ({"capabilities__hypervisor_type": "s== kvm"}, []),
        ({"capabilities__hypervisor_version": ">= 6000000"}, ["intel"]),
        ({"capabilities__cpu_info__features": "<in> avx2"}, ["intel"]),
        ({"capabilities__cpu_info__model": "s== Opteron"}, ["old"]),
        ({"capabilities__cpu_info__topology__cores": ">= 4"}, ["intel"]),
        ({"capabilities__free_ram_mb": ">= 16000"}, ["intel"]),
        ({"capabilities__vcpus__more": "1"}, []),
        ({"capabilities__no_such_fact": "1"}, []),
        ({"vcpus": "8"}, ["intel", "old"]),
        ({"hw__cpu_policy": "dedicated"}, ["intel", "old"]),
    ],
)
def test_capabilities(specs, hosts) -> None:
    table = HostTable(
        [
            view(
                "intel",
                hypervisor_version=6002000,
                cpu_info={"model": "Haswell", "features": ["avx2", "aes"], "topology": {"cores": 8}},
            ),
            view("old", used_ram_mb=8000, cpu_info={"model": "Opteron", "topology": {"cores": 2}}),
        ]
    )
    asked = request(flavor=flavor(**specs))
    assert passing("ComputeCapabilitiesFilter", table, asked) == hosts


def test_capabilities_say_what_a_host_has() -> None:
    table = HostTable([view("a", hypervisor_version=5)])
    asked = request(flavor=flavor(capabilities__hypervisor_version=">= 6", capabilities__wings="2"))
    assert reason("ComputeCapabilitiesFilter", table, asked) == (
        "of one of them hypervisor_version is 5, >= 6 was asked; wings is unknown, 2 was asked"
    )


@pytest.mark.parametrize(
    ("properties", "hosts"),
    [
        ({}, ["arm", "qemu", "xen"]),
        ({"hw_architecture": "x86_64"}, ["qemu", "xen"]),
        ({"architecture": "amd64"}, ["qemu", "xen"]),
        ({"hw_architecture": "aarch64"}, ["arm"]),
        ({"img_hv_type": "xapi"}, ["xen"]),
        ({"hypervisor_type": "QEMU"}, ["arm", "qemu"]),
        ({"vm_mode": "pv"}, ["xen"]),
        ({"hw_vm_mode": "hvm", "vm_mode": "xen"}, ["arm", "qemu"]),
        ({"img_hv_type": "xen", "hw_vm_mode": "hvm"}, []),
        ({"hypervisor_version_requires": ">=6.0"}, ["qemu"]),
        ({"img_hv_requested_version": ">=4.0, <6.2"}, ["arm", "xen"]),
        ({"img_hv_requested_version": "new"}, []),
    ],
)
def test_image_properties(properties, hosts) -> None:
    table = HostTable(
        [
            view("qemu", hypervisor_version=6002000),
            view("xen", supported=(("x86_64", "xen", "xen"),), hypervisor_version=4001000),
            view("arm", supported=(("aarch64", "qemu", "hvm"),), hypervisor_version=5000000),
        ]
    )
    assert passing("ImagePropertiesFilter", table, request(image=image(**properties))) == hosts


def test_images_without_an_architecture_get_the_default_one() -> None:
    table = HostTable([view("x86"), view("arm", supported=(("aarch64", "qemu", "hvm"),))])
    option = {"image_properties_default_architecture": "aarch64"}
    assert passing("ImagePropertiesFilter", table, request(image=image()), **option) == ["arm"]
    assert passing("ImagePropertiesFilter", table, request(), **option) == ["arm", "x86"]


@pytest.mark.parametrize(
    ("number", "predicate", "answer"),
    [
        (6002000, ">=6.2", True),
        (6002000, ">6.2", False),
        (6002000, "==6.2.0", True),
        (6002000, "!=6.2", False),
        (6002001, "<=6.2", False),
        (6002001, ">=6.2,<7", True),
        (6002001, "6.2", False),
        (6002001, "", False),
    ],
)
def test_versions(number, predicate, answer) -> None:
    assert satisfies(number, predicate) is answer


def test_traits_of_flavor_and_image() -> None:
    table = HostTable([view("a", traits=("HW_A", "HW_B")), view("b", traits=("HW_A",)), view("c")])
    assert passing("TraitsFilter", table, request()) == ["a", "b", "c"]
    needs_a = flavor(trait__HW_A="required")
    assert passing("TraitsFilter", table, request(flavor=needs_a)) == ["a", "b"]
    also_b = image(**{"trait:HW_B": "required"})
    assert passing("TraitsFilter", table, request(flavor=needs_a, image=also_b)) == ["a"]
    no_b = flavor(trait__HW_A="required", trait__HW_B="forbidden")
    assert passing("TraitsFilter", table, request(flavor=no_b)) == ["b"]


def test_aggregates_for_extra_specs() -> None:
    groups = [aggregate(1, ssd="true", size="big,huge"), aggregate(2, ssd="false")]
    table = HostTable([view("a", aggregates=(1,)), view("b", aggregates=(2,)), view("c")], groups)
    name = "AggregateInstanceExtraSpecsFilter"
    assert passing(name, table, request()) == ["a", "b", "c"]
    scoped = flavor(aggregate_instance_extra_specs__ssd="true")
    assert passing(name, table, request(flavor=scoped)) == ["a"]
    assert passing(name, table, request(flavor=flavor(ssd="false"))) == ["b"]
    assert passing(name, table, request(flavor=flavor(size="<or> huge <or> tiny"))) == ["a"]
    assert passing(name, table, request(flavor=flavor(capabilities__ssd="true"))) == ["a", "b", "c"]


def test_aggregates_for_images() -> None:
    groups = [aggregate(1, os="windows"), aggregate(2, **{"lic.os": "linux"})]
    table = HostTable([view("a", aggregates=(1,)), view("b", aggregates=(2,)), view("c")], groups)
    name = "AggregateImagePropertiesIsolation"
    windows, linux = request(image=image(os="windows")), request(image=image(os="linux"))
    assert passing(name, table, windows) == ["a", "b", "c"]
    assert passing(name, table, linux) == ["b", "c"]
    namespace = {"aggregate_image_properties_isolation_namespace": "lic"}
    windows = request(image=image(**{"lic.os": "windows"}))
    assert passing(name, table, windows, **namespace) == ["a", "c"]


def test_aggregates_for_flavors_and_projects() -> None:
    groups = [aggregate(1, instance_type="f, g", filter_tenant_id="p"), aggregate(2, instance_type="h")]
    groups.append(aggregate(3, filter_tenant_id_2="q, r"))
    hosts = [view("a", aggregates=(1,)), view("b", aggregates=(2,)), view("c", aggregates=(3,))]
    table = HostTable(hosts, groups)
    assert passing("AggregateTypeAffinityFilter", table, request()) == ["a", "c"]
    assert passing("AggregateMultiTenancyIsolation", table, request(project_id="p")) == ["a", "b"]
    assert passing("AggregateMultiTenancyIsolation", table, request(project_id="r")) == ["b", "c"]
