"""Extra specs of flavors whose names and values are checked, and the traits and resources of hosts."""

from __future__ import annotations

import re
from typing import NamedTuple


class Spec(NamedTuple):
    """What may stand in one extra spec; ``name`` is a pattern of the whole key."""

    name: str
    kind: type = str
    words: tuple[str, ...] = ()
    pattern: str = ""
    least: int | None = None
    most: int | None = None


NAMESPACES = re.compile(
    r"(accel|aggregate_instance_extra_specs|capabilities|hw|hw_rng|hw_video|os|pci_passthrough|powervm|quota"
    r"|resources([a-zA-Z0-9_-]{1,64})?|trait([a-zA-Z0-9_-]{1,64})?|vmware):.*",
    re.DOTALL,
)
"""Unknown keys in these are refused; whatever else there is passes."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FILTERED_CAPABILITIES = _names(
    """
    cpu_info instances limits metrics nodename numa_topology pci_device_pools pci_stats stats
    supported_hv_specs supported_instances
    """
)
"""Facts of hosts that have parts, named after more colons."""

_CAPABILITIES = _names(
    """
    aggregates cell_uuid cpu_allocation_ratio current_workload disk_allocation_ratio disk_available_least
    disk_mb_used failed_builds free_disk_gb free_disk_mb free_ram_mb host host_ip hypervisor_hostname
    hypervisor_type hypervisor_version id local_gb local_gb_used mapped memory_mb memory_mb_used
    num_instances num_io_ops ram_allocation_ratio running_vms service_id total_usable_disk_gb
    total_usable_ram_mb updated uuid vcpus vcpus_total vcpus_used
    """
)
"""Facts of hosts that the scheduler can compare."""

RESOURCES = _names(
    """
    DISK_GB FPGA IPV4_ADDRESS MEMORY_MB MEM_ENCRYPTION_CONTEXT NET_BW_EGR_KILOBIT_PER_SEC
    NET_BW_IGR_KILOBIT_PER_SEC NET_PACKET_RATE_EGR_KILOPACKET_PER_SEC NET_PACKET_RATE_IGR_KILOPACKET_PER_SEC
    NET_PACKET_RATE_KILOPACKET_PER_SEC NUMA_CORE NUMA_MEMORY_MB NUMA_SOCKET NUMA_THREAD PCI_DEVICE PCPU PGPU
    SRIOV_NET_VF VCPU VGPU VGPU_DISPLAY_HEAD
    """
)
"""Resource classes besides CUSTOM_ ones."""

TRAITS = _names(
    """
    COMPUTE_ACCELERATORS COMPUTE_ADDRESS_SPACE_EMULATED COMPUTE_ADDRESS_SPACE_PASSTHROUGH
    COMPUTE_ARCH_AARCH64 COMPUTE_ARCH_MIPSEL COMPUTE_ARCH_PPC64LE COMPUTE_ARCH_RISCV64 COMPUTE_ARCH_S390X
    COMPUTE_ARCH_X86_64 COMPUTE_CONFIG_DRIVE_REGENERATION COMPUTE_DEVICE_TAGGING
    COMPUTE_EPHEMERAL_ENCRYPTION COMPUTE_EPHEMERAL_ENCRYPTION_LUKS COMPUTE_EPHEMERAL_ENCRYPTION_LUKSV2
    COMPUTE_EPHEMERAL_ENCRYPTION_PLAIN COMPUTE_FIRMWARE_BIOS COMPUTE_FIRMWARE_UEFI
    COMPUTE_GRAPHICS_MODEL_BOCHS COMPUTE_GRAPHICS_MODEL_CIRRUS COMPUTE_GRAPHICS_MODEL_GOP
    COMPUTE_GRAPHICS_MODEL_NONE COMPUTE_GRAPHICS_MODEL_QXL COMPUTE_GRAPHICS_MODEL_VGA
    COMPUTE_GRAPHICS_MODEL_VIRTIO COMPUTE_GRAPHICS_MODEL_VMVGA COMPUTE_GRAPHICS_MODEL_XEN
    COMPUTE_IMAGE_TYPE_AKI COMPUTE_IMAGE_TYPE_AMI COMPUTE_IMAGE_TYPE_ARI COMPUTE_IMAGE_TYPE_ISO
    COMPUTE_IMAGE_TYPE_PLOOP COMPUTE_IMAGE_TYPE_QCOW2 COMPUTE_IMAGE_TYPE_RAW COMPUTE_IMAGE_TYPE_VDI
    COMPUTE_IMAGE_TYPE_VHD COMPUTE_IMAGE_TYPE_VHDX COMPUTE_IMAGE_TYPE_VMDK COMPUTE_MANAGED_PCI_DEVICE
    COMPUTE_MEM_BACKING_FILE COMPUTE_MIGRATE_AUTO_CONVERGE COMPUTE_MIGRATE_POST_COPY
    COMPUTE_NET_ATTACH_INTERFACE COMPUTE_NET_ATTACH_INTERFACE_WITH_TAG COMPUTE_NET_VIF_MODEL_E1000
    COMPUTE_NET_VIF_MODEL_E1000E COMPUTE_NET_VIF_MODEL_IGB COMPUTE_NET_VIF_MODEL_LAN9118
    COMPUTE_NET_VIF_MODEL_NE2K_PCI COMPUTE_NET_VIF_MODEL_NETFRONT COMPUTE_NET_VIF_MODEL_PCNET
    COMPUTE_NET_VIF_MODEL_RTL8139 COMPUTE_NET_VIF_MODEL_SPAPR_VLAN COMPUTE_NET_VIF_MODEL_SRIOV
    COMPUTE_NET_VIF_MODEL_VIRTIO COMPUTE_NET_VIF_MODEL_VMXNET COMPUTE_NET_VIF_MODEL_VMXNET3
    COMPUTE_NET_VIRTIO_PACKED COMPUTE_NODE COMPUTE_REMOTE_MANAGED_PORTS COMPUTE_RESCUE_BFV
    COMPUTE_SAME_HOST_COLD_MIGRATE COMPUTE_SECURITY_STATELESS_FIRMWARE COMPUTE_SECURITY_TPM_1_2
    COMPUTE_SECURITY_TPM_2_0 COMPUTE_SECURITY_TPM_CRB COMPUTE_SECURITY_TPM_SECRET_SECURITY_DEPLOYMENT
    COMPUTE_SECURITY_TPM_SECRET_SECURITY_HOST COMPUTE_SECURITY_TPM_SECRET_SECURITY_USER
    COMPUTE_SECURITY_TPM_TIS COMPUTE_SECURITY_UEFI_SECURE_BOOT COMPUTE_SHARE_LOCAL_FS
    COMPUTE_SOCKET_PCI_NUMA_AFFINITY COMPUTE_SOUND_MODEL_AC97 COMPUTE_SOUND_MODEL_ES1370
    COMPUTE_SOUND_MODEL_ICH6 COMPUTE_SOUND_MODEL_ICH9 COMPUTE_SOUND_MODEL_PCSPK COMPUTE_SOUND_MODEL_SB16
    COMPUTE_SOUND_MODEL_USB COMPUTE_SOUND_MODEL_VIRTIO COMPUTE_STATUS_DISABLED COMPUTE_STORAGE_BUS_FDC
    COMPUTE_STORAGE_BUS_IDE COMPUTE_STORAGE_BUS_LXC COMPUTE_STORAGE_BUS_SATA COMPUTE_STORAGE_BUS_SCSI
    COMPUTE_STORAGE_BUS_UML COMPUTE_STORAGE_BUS_USB COMPUTE_STORAGE_BUS_VIRTIO COMPUTE_STORAGE_BUS_XEN
    COMPUTE_STORAGE_VIRTIO_FS COMPUTE_TRUSTED_CERTS COMPUTE_USB_MODEL_NEC_XHCI COMPUTE_USB_MODEL_QEMU_XHCI
    COMPUTE_VIOMMU_MODEL_AUTO COMPUTE_VIOMMU_MODEL_INTEL COMPUTE_VIOMMU_MODEL_SMMUV3
    COMPUTE_VIOMMU_MODEL_VIRTIO COMPUTE_VOLUME_ATTACH COMPUTE_VOLUME_ATTACH_WITH_TAG COMPUTE_VOLUME_EXTEND
    COMPUTE_VOLUME_MULTI_ATTACH CUSTOM_{trait} HW_ARCH_AARCH64 HW_ARCH_ALPHA HW_ARCH_ARMV6 HW_ARCH_ARMV7
    HW_ARCH_ARMV7B HW_ARCH_CRIS HW_ARCH_I686 HW_ARCH_IA64 HW_ARCH_LM32 HW_ARCH_M68K HW_ARCH_MICROBLAZE
    HW_ARCH_MICROBLAZEEL HW_ARCH_MIPS HW_ARCH_MIPS64 HW_ARCH_MIPS64EL HW_ARCH_MIPSEL HW_ARCH_OPENRISC
    HW_ARCH_PARISC HW_ARCH_PARISC64 HW_ARCH_PPC HW_ARCH_PPC64 HW_ARCH_PPC64LE HW_ARCH_PPCEMB HW_ARCH_PPCLE
    HW_ARCH_S390 HW_ARCH_S390X HW_ARCH_SH4 HW_ARCH_SH4EB HW_ARCH_SPARC HW_ARCH_SPARC64 HW_ARCH_UNICORE32
    HW_ARCH_X86_64 HW_ARCH_XTENSA HW_ARCH_XTENSAEB HW_CPU_AARCH64_AES HW_CPU_AARCH64_ASIMD
    HW_CPU_AARCH64_ASIMDDP HW_CPU_AARCH64_ASIMDHP HW_CPU_AARCH64_ASIMDRDM HW_CPU_AARCH64_ATOMICS
    HW_CPU_AARCH64_CPUID HW_CPU_AARCH64_CRC32 HW_CPU_AARCH64_DCPOP HW_CPU_AARCH64_EVTSTRM
    HW_CPU_AARCH64_FCMA HW_CPU_AARCH64_FP HW_CPU_AARCH64_FPHP HW_CPU_AARCH64_JSCVT HW_CPU_AARCH64_LRCPC
    HW_CPU_AARCH64_PMULL HW_CPU_AARCH64_SHA1 HW_CPU_AARCH64_SHA2 HW_CPU_AARCH64_SHA3 HW_CPU_AARCH64_SHA512
    HW_CPU_AARCH64_SM3 HW_CPU_AARCH64_SM4 HW_CPU_AARCH64_SVE HW_CPU_AMD_SEV HW_CPU_HYPERTHREADING
    HW_CPU_PPC64LE_POWER8 HW_CPU_PPC64LE_POWER9 HW_CPU_X86_3DNOW HW_CPU_X86_ABM HW_CPU_X86_AESNI
    HW_CPU_X86_AMD_IBPB HW_CPU_X86_AMD_NO_SSB HW_CPU_X86_AMD_SEV HW_CPU_X86_AMD_SEV_ES
    HW_CPU_X86_AMD_SEV_SNP HW_CPU_X86_AMD_SSBD HW_CPU_X86_AMD_SVM HW_CPU_X86_AMD_VIRT_SSBD
    HW_CPU_X86_AMXBF16 HW_CPU_X86_AMXINT8 HW_CPU_X86_AMXTILE HW_CPU_X86_ASF HW_CPU_X86_AVX HW_CPU_X86_AVX2
    HW_CPU_X86_AVX512BITALG HW_CPU_X86_AVX512BW HW_CPU_X86_AVX512CD HW_CPU_X86_AVX512DQ HW_CPU_X86_AVX512ER
    HW_CPU_X86_AVX512F HW_CPU_X86_AVX512GFNI HW_CPU_X86_AVX512IFMA HW_CPU_X86_AVX512PF HW_CPU_X86_AVX512VAES
    HW_CPU_X86_AVX512VBMI HW_CPU_X86_AVX512VBMI2 HW_CPU_X86_AVX512VL HW_CPU_X86_AVX512VNNI
    HW_CPU_X86_AVX512VPCLMULQDQ HW_CPU_X86_AVX512VPOPCNTDQ HW_CPU_X86_BMI HW_CPU_X86_BMI2 HW_CPU_X86_CLMUL
    HW_CPU_X86_F16C HW_CPU_X86_FMA3 HW_CPU_X86_FMA4 HW_CPU_X86_INTEL_MD_CLEAR HW_CPU_X86_INTEL_PCID
    HW_CPU_X86_INTEL_SPEC_CTRL HW_CPU_X86_INTEL_SSBD HW_CPU_X86_INTEL_TDX HW_CPU_X86_INTEL_VMX
    HW_CPU_X86_MMX HW_CPU_X86_MPX HW_CPU_X86_PDPE1GB HW_CPU_X86_SGX HW_CPU_X86_SHA HW_CPU_X86_SSE
    HW_CPU_X86_SSE2 HW_CPU_X86_SSE3 HW_CPU_X86_SSE41 HW_CPU_X86_SSE42 HW_CPU_X86_SSE4A HW_CPU_X86_SSSE3
    HW_CPU_X86_STIBP HW_CPU_X86_SVM HW_CPU_X86_TBM HW_CPU_X86_TSX HW_CPU_X86_VMX HW_CPU_X86_XOP
    HW_GPU_API_DIRECT2D HW_GPU_API_DIRECT3D_V10_0 HW_GPU_API_DIRECT3D_V10_1 HW_GPU_API_DIRECT3D_V11_0
    HW_GPU_API_DIRECT3D_V11_1 HW_GPU_API_DIRECT3D_V11_2 HW_GPU_API_DIRECT3D_V11_3 HW_GPU_API_DIRECT3D_V12_0
    HW_GPU_API_DIRECT3D_V6_0 HW_GPU_API_DIRECT3D_V7_0 HW_GPU_API_DIRECT3D_V8_0 HW_GPU_API_DIRECT3D_V8_1
    HW_GPU_API_DIRECT3D_V9_0 HW_GPU_API_DIRECT3D_V9_0B HW_GPU_API_DIRECT3D_V9_0C HW_GPU_API_DIRECT3D_V9_0L
    HW_GPU_API_DIRECTX_V10 HW_GPU_API_DIRECTX_V11 HW_GPU_API_DIRECTX_V12 HW_GPU_API_DXVA
    HW_GPU_API_OPENCL_V1_0 HW_GPU_API_OPENCL_V1_1 HW_GPU_API_OPENCL_V1_2 HW_GPU_API_OPENCL_V2_0
    HW_GPU_API_OPENCL_V2_1 HW_GPU_API_OPENCL_V2_2 HW_GPU_API_OPENGL_V1_1 HW_GPU_API_OPENGL_V1_2
    HW_GPU_API_OPENGL_V1_3 HW_GPU_API_OPENGL_V1_4 HW_GPU_API_OPENGL_V1_5 HW_GPU_API_OPENGL_V2_0
    HW_GPU_API_OPENGL_V2_1 HW_GPU_API_OPENGL_V3_0 HW_GPU_API_OPENGL_V3_1 HW_GPU_API_OPENGL_V3_2
    HW_GPU_API_OPENGL_V3_3 HW_GPU_API_OPENGL_V4_0 HW_GPU_API_OPENGL_V4_1 HW_GPU_API_OPENGL_V4_2
    HW_GPU_API_OPENGL_V4_3 HW_GPU_API_OPENGL_V4_4 HW_GPU_API_OPENGL_V4_5 HW_GPU_API_VULKAN
    HW_GPU_CUDA_COMPUTE_CAPABILITY_V1_0 HW_GPU_CUDA_COMPUTE_CAPABILITY_V1_1
    HW_GPU_CUDA_COMPUTE_CAPABILITY_V1_2 HW_GPU_CUDA_COMPUTE_CAPABILITY_V1_3
    HW_GPU_CUDA_COMPUTE_CAPABILITY_V2_0 HW_GPU_CUDA_COMPUTE_CAPABILITY_V2_1
    HW_GPU_CUDA_COMPUTE_CAPABILITY_V3_0 HW_GPU_CUDA_COMPUTE_CAPABILITY_V3_2
    HW_GPU_CUDA_COMPUTE_CAPABILITY_V3_5 HW_GPU_CUDA_COMPUTE_CAPABILITY_V3_7
    HW_GPU_CUDA_COMPUTE_CAPABILITY_V5_0 HW_GPU_CUDA_COMPUTE_CAPABILITY_V5_2
    HW_GPU_CUDA_COMPUTE_CAPABILITY_V5_3 HW_GPU_CUDA_COMPUTE_CAPABILITY_V6_0
    HW_GPU_CUDA_COMPUTE_CAPABILITY_V6_1 HW_GPU_CUDA_COMPUTE_CAPABILITY_V6_2
    HW_GPU_CUDA_COMPUTE_CAPABILITY_V7_0 HW_GPU_CUDA_COMPUTE_CAPABILITY_V7_1
    HW_GPU_CUDA_COMPUTE_CAPABILITY_V7_2 HW_GPU_CUDA_SDK_V10_0 HW_GPU_CUDA_SDK_V6_5 HW_GPU_CUDA_SDK_V7_5
    HW_GPU_CUDA_SDK_V8_0 HW_GPU_CUDA_SDK_V9_0 HW_GPU_CUDA_SDK_V9_1 HW_GPU_CUDA_SDK_V9_2
    HW_GPU_MAX_DISPLAY_HEADS_1 HW_GPU_MAX_DISPLAY_HEADS_2 HW_GPU_MAX_DISPLAY_HEADS_4
    HW_GPU_MAX_DISPLAY_HEADS_6 HW_GPU_MAX_DISPLAY_HEADS_8 HW_GPU_RESOLUTION_W1024H600
    HW_GPU_RESOLUTION_W1024H768 HW_GPU_RESOLUTION_W1152H864 HW_GPU_RESOLUTION_W1280H1024
    HW_GPU_RESOLUTION_W1280H720 HW_GPU_RESOLUTION_W1280H768 HW_GPU_RESOLUTION_W1280H800
    HW_GPU_RESOLUTION_W1360H768 HW_GPU_RESOLUTION_W1366H768 HW_GPU_RESOLUTION_W1440H900
    HW_GPU_RESOLUTION_W1600H1200 HW_GPU_RESOLUTION_W1600H900 HW_GPU_RESOLUTION_W1680H1050
    HW_GPU_RESOLUTION_W1920H1080 HW_GPU_RESOLUTION_W1920H1200 HW_GPU_RESOLUTION_W2560H1440
    HW_GPU_RESOLUTION_W2560H1600 HW_GPU_RESOLUTION_W320H240 HW_GPU_RESOLUTION_W3840H2160
    HW_GPU_RESOLUTION_W640H480 HW_GPU_RESOLUTION_W7680H4320 HW_GPU_RESOLUTION_W800H600 HW_NIC_ACCEL_DEFLATE
    HW_NIC_ACCEL_DIFFIEH HW_NIC_ACCEL_ECC HW_NIC_ACCEL_IPSEC HW_NIC_ACCEL_LZS HW_NIC_ACCEL_RSA
    HW_NIC_ACCEL_SSL HW_NIC_ACCEL_TLS HW_NIC_DCB_ETS HW_NIC_DCB_PFC HW_NIC_DCB_QCN HW_NIC_MULTIQUEUE
    HW_NIC_OFFLOAD_FDF HW_NIC_OFFLOAD_GENEVE HW_NIC_OFFLOAD_GRE HW_NIC_OFFLOAD_GRO HW_NIC_OFFLOAD_GSO
    HW_NIC_OFFLOAD_L2CRC HW_NIC_OFFLOAD_LRO HW_NIC_OFFLOAD_LSO HW_NIC_OFFLOAD_QINQ HW_NIC_OFFLOAD_RDMA
    HW_NIC_OFFLOAD_RX HW_NIC_OFFLOAD_RXHASH HW_NIC_OFFLOAD_RXVLAN HW_NIC_OFFLOAD_SCS HW_NIC_OFFLOAD_SG
    HW_NIC_OFFLOAD_SWITCHDEV HW_NIC_OFFLOAD_TCS HW_NIC_OFFLOAD_TSO HW_NIC_OFFLOAD_TX HW_NIC_OFFLOAD_TXUDP
    HW_NIC_OFFLOAD_TXVLAN HW_NIC_OFFLOAD_UCS HW_NIC_OFFLOAD_UFO HW_NIC_OFFLOAD_VXLAN
    HW_NIC_PROGRAMMABLE_PIPELINE HW_NIC_SRIOV HW_NIC_SRIOV_MULTIQUEUE HW_NIC_SRIOV_QOS_RX
    HW_NIC_SRIOV_QOS_TX HW_NIC_SRIOV_TRUSTED HW_NIC_VMDQ HW_NUMA_ROOT HW_NVME_BES HW_NVME_CES HW_NVME_WZS
    HW_PCI_LIVE_MIGRATABLE HW_PCI_ONE_TIME_USE MISC_SHARES_VIA_AGGREGATE OWNER_CYBORG OWNER_NOVA
    STORAGE_DISK_HDD STORAGE_DISK_SSD
    """
)
"""Traits besides CUSTOM_ ones."""

_GROUP = "([a-zA-Z0-9_-]{1,64})?"


def _any(names: frozenset[str]) -> str:
    return "(" + "|".join(sorted(names)) + ")"


SPECS: tuple[Spec, ...] = (
    Spec(f"capabilities:{_any(_CAPABILITIES)}"),
    Spec(rf"capabilities:{_any(_FILTERED_CAPABILITIES)}(:\w+)*"),
    Spec(f"resources{_GROUP}:({_any(RESOURCES)}|CUSTOM_[A-Z0-9_]+)", int),
    Spec(f"trait{_GROUP}:({_any(TRAITS)}|CUSTOM_[A-Z0-9_]+)", words=("required", "forbidden")),
    Spec("accel:device_profile"),
    Spec("aggregate_instance_extra_specs:.+"),
    Spec("group_policy", words=("isolate", "none")),
    Spec("hide_hypervisor_id", bool),
    Spec("hw:boot_menu", bool),
    Spec("hw:cpu_cores", int, least=1),
    Spec("hw:cpu_dedicated_mask", pattern=r"\^?\d+((-\d+)?(,\^?\d+(-\d+)?)?)*"),
    Spec("hw:cpu_max_cores", int, least=1),
    Spec("hw:cpu_max_sockets", int, least=1),
    Spec("hw:cpu_max_threads", int, least=1),
    Spec("hw:cpu_policy", words=("dedicated", "shared", "mixed")),
    Spec("hw:cpu_realtime", bool),
    Spec("hw:cpu_realtime_mask", pattern=r"(\^)?\d+((-\d+)?(,\^?\d+(-\d+)?)?)*"),
    Spec("hw:cpu_sockets", int, least=1),
    Spec("hw:cpu_thread_policy", words=("prefer", "isolate", "require")),
    Spec("hw:cpu_threads", int, least=1),
    Spec("hw:emulator_threads_policy", words=("isolate", "share")),
    Spec("hw:ephemeral_encryption", bool),
    Spec("hw:ephemeral_encryption_format", words=("plain", "luks", "luksv2")),
    Spec("hw:hide_hypervisor_id", bool),
    Spec("hw:locked_memory", bool),
    Spec("hw:mem_encryption", bool),
    Spec("hw:mem_encryption_model", words=("amd-sev", "amd-sev-es", "amd-sev-snp")),
    Spec("hw:mem_page_size", pattern=r"(large|small|any|\d+([kKMGT]i?)?(b|bit|B)?)"),
    Spec(r"hw:numa_cpus\.\d+", pattern=r"\^?\d+((-\d+)?(,\^?\d+(-\d+)?)?)*"),
    Spec(r"hw:numa_mem\.\d+", int, least=1),
    Spec("hw:numa_nodes", int, least=1),
    Spec("hw:pci_numa_affinity_policy", words=("required", "preferred", "legacy", "socket")),
    Spec("hw:pmem", pattern=r"([a-zA-Z0-9_]+(,)?)+"),
    Spec("hw:pmu", bool),
    Spec("hw:redirected_usb_ports", int, least=0, most=15),
    Spec("hw:serial_port_count", int, least=0),
    Spec("hw:sound_model", words=("sb16", "es1370", "pcspk", "ac97", "ich6", "ich9", "usb", "virtio")),
    Spec("hw:tpm_model", words=("tpm-tis", "tpm-crb")),
    Spec("hw:tpm_secret_security", words=("user", "host", "deployment")),
    Spec("hw:tpm_version", pattern=r"1\.2|2\.0"),
    Spec("hw:usb_model", words=("none", "nec-xhci", "qemu-xhci")),
    Spec("hw:vif_multiqueue_enabled", bool),
    Spec("hw:viommu_model", words=("intel", "smmuv3", "virtio", "auto")),
    Spec("hw:virtio_packed_ring", bool),
    Spec("hw:watchdog_action", words=("none", "pause", "poweroff", "reset", "disabled")),
    Spec("hw_rng:allowed", bool),
    Spec("hw_rng:rate_bytes", int, least=0),
    Spec("hw_rng:rate_period", int, least=0),
    Spec("hw_video:ram_max_mb", int, least=0),
    Spec("os:secure_boot", words=("disabled", "required")),
    Spec("pci_passthrough:alias", pattern=r"[^:]+:\d+(?:\s*,\s*[^:]+:\d+)*"),
    Spec("quota:cpu_limit", int, least=0),
    Spec("quota:cpu_period", int, least=0),
    Spec("quota:cpu_quota", int),
    Spec("quota:cpu_reservation", int),
    Spec("quota:cpu_shares", int, least=0),
    Spec("quota:cpu_shares_level", words=("custom", "high", "normal", "low")),
    Spec("quota:cpu_shares_share", int, least=0),
    Spec("quota:disk_io_limit", int, least=0),
    Spec("quota:disk_io_reservation", int),
    Spec("quota:disk_io_shares_level", words=("custom", "high", "normal", "low")),
    Spec("quota:disk_io_shares_share", int, least=0),
    Spec("quota:disk_read_bytes_sec", int, least=0),
    Spec("quota:disk_read_iops_sec", int, least=0),
    Spec("quota:disk_total_bytes_sec", int, least=0),
    Spec("quota:disk_total_iops_sec", int, least=0),
    Spec("quota:disk_write_bytes_sec", int, least=0),
    Spec("quota:disk_write_iops_sec", int, least=0),
    Spec("quota:memory_limit", int, least=0),
    Spec("quota:memory_reservation", int),
    Spec("quota:memory_shares_level", words=("custom", "high", "normal", "low")),
    Spec("quota:memory_shares_share", int, least=0),
    Spec("quota:vif_inbound_average", int, least=0),
    Spec("quota:vif_inbound_burst", int, least=0),
    Spec("quota:vif_inbound_peak", int, least=0),
    Spec("quota:vif_limit", int, least=0),
    Spec("quota:vif_outbound_average", int, least=0),
    Spec("quota:vif_outbound_burst", int, least=0),
    Spec("quota:vif_outbound_peak", int, least=0),
    Spec("quota:vif_reservation", int),
    Spec("quota:vif_shares_level", words=("custom", "high", "normal", "low")),
    Spec("quota:vif_shares_share", int, least=0),
    Spec("vmware:hw_version"),
    Spec("vmware:storage_policy"),
)
