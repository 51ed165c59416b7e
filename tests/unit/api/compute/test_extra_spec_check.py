"""Extra specs are checked by namespace."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova.api.compute.extra_spec_check import check
from nova.errors.compute_api import ExtraSpecInvalid


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("hw:cpu_policy", "dedicated"),
        ("hw:cpu_dedicated_mask", "0-3,^2"),
        ("hw:numa_mem.1", "512"),
        ("hw:boot_menu", "True"),
        ("hw:mem_page_size", "2MB"),
        ("quota:cpu_quota", "-1"),
        ("resources:VCPU", "2"),
        ("resources_A1:CUSTOM_GOLD", "1"),
        ("trait:HW_CPU_X86_AVX2", "required"),
        ("trait1:CUSTOM_SSD", "forbidden"),
        ("capabilities:free_ram_mb", ">= 4"),
        ("capabilities:cpu_info:arch", "x86_64"),
        ("aggregate_instance_extra_specs:ssd", "yes"),
        ("group_policy", "isolate"),
        ("anything", "goes"),
        ("of:others", "goes"),
    ],
)
def test_these_are_right(key: str, value: str) -> None:
    check({key: value})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("hw:cpu_policy", "shred"),
        ("hw:cpu_policies", "shared"),
        ("hw:numa_mem.one", "512"),
        ("hw:numa_nodes", "0"),
        ("hw:numa_nodes", "two"),
        ("hw:redirected_usb_ports", "16"),
        ("hw:boot_menu", "perhaps"),
        ("hw:mem_page_size", "huge"),
        ("resources:VCPUS", "2"),
        ("resources:CUSTOM_gold", "1"),
        ("trait:HW_CPU_X86_AVX2", "wanted"),
        ("trait:NO_SUCH_TRAIT", "required"),
        ("capabilities:colour", "red"),
        ("group_policy", "some"),
    ],
)
def test_these_are_wrong(key: str, value: str) -> None:
    with pytest.raises(ExtraSpecInvalid):
        check({"fine": "x", key: value})


@given(
    st.text(max_size=40).filter(
        lambda key: ":" not in key and key not in ("group_policy", "hide_hypervisor_id")
    )
)
def test_keys_without_namespace_pass(key: str) -> None:
    check({key: "x"})
