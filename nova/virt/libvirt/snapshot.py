"""A copy of a guest's root disk, whole and without backing file.

Off: ``qemu-img convert``.  Running or paused: libvirt mirrors the disk to a second file while the guest goes
on writing to both; when they are equal the mirror is ended, and the copy is the disk as it was at that
moment (what a guest would find after a power cut).
"""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path
from typing import Any

import libvirt

from nova.clock import Clock
from nova.errors.virt import ActionFailed, NotCapable
from nova.objects.states import Power
from nova.privsep import files
from nova.virt.libvirt import xml
from nova.virt.libvirt.guest import Guest
from nova.virt.libvirt.images.qemu_img import QemuImg
from nova.virt.libvirt.plan import LocalDisk

LOG = logging.getLogger(__name__)
FORMATS = {"raw": "raw", "ami": "raw", "qcow2": "qcow2", "vmdk": "vmdk", "vhd": "vpc", "vdi": "vdi"}
_COPY = ".snapshot"
_LOOK_S = 0.2


class Snapshooter:
    """Copies disks on one host."""

    def __init__(self, program: QemuImg, clock: Clock, host: str) -> None:
        self._program = program
        self._clock = clock
        self._host = host

    def snapshot(
        self, guest: Guest, disk: LocalDisk, directory: Path, target: Path, disk_format: str
    ) -> None:
        """Write ``disk`` to ``target`` in Glance's ``disk_format``; nothing is left on failure."""
        wanted = FORMATS.get(disk_format)
        if wanted is None or disk.device != "disk":
            raise NotCapable(capability=f"snapshot as {disk_format}")
        copy = directory / _COPY
        copy.unlink(missing_ok=True)
        try:
            if guest.power() in (Power.RUNNING, Power.PAUSED):
                self._mirror(guest, disk, copy)
                if wanted == "qcow2":
                    files.move(copy, target)
                else:
                    self._program.convert(copy, "qcow2", target, wanted, size_bytes=disk.virtual_bytes)
            else:
                self._program.convert(
                    directory / disk.file, disk.format, target, wanted, size_bytes=disk.virtual_bytes
                )
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        finally:
            copy.unlink(missing_ok=True)

    def _mirror(self, guest: Guest, disk: LocalDisk, copy: Path) -> None:
        destination = xml.to_text(
            xml.element(
                "disk",
                xml.element("source", file=str(copy)),
                xml.element("driver", type="qcow2"),
                type="file",
            )
        )
        self._end(guest, disk)
        # A full copy (not shallow) holds what is in the backing file too; the job need not outlive QEMU.
        guest.do(
            "snapshot",
            lambda domain: domain.blockCopy(
                disk.target, destination, flags=libvirt.VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB
            ),
            self._program.copy_timeout,
        )
        try:
            self._wait_until_equal(guest, disk)
        finally:
            self._end(guest, disk)

    def _wait_until_equal(self, guest: Guest, disk: LocalDisk) -> None:
        end = self._clock.monotonic() + self._program.copy_timeout
        while True:
            job: Any = guest.do("snapshot", lambda domain: domain.blockJobInfo(disk.target, 0))
            if not job:
                raise self._failed("the copy was broken off")
            # cur == end may be true before the job begins; libvirt says 0/0 then.
            if job["end"] and job["cur"] == job["end"] and self._is_ready(guest, disk):
                return
            if self._clock.monotonic() > end:
                raise self._failed("the copy took too long")
            self._clock.sleep(_LOOK_S)

    def _is_ready(self, guest: Guest, disk: LocalDisk) -> bool:
        """Ask whether the mirror has caught up: libvirt marks it so in the live definition."""
        root = xml.parse(guest.xml())
        for found in root.iterfind("./devices/disk"):
            target, mirror = found.find("target"), found.find("mirror")
            if target is not None and target.get("dev") == disk.target and mirror is not None:
                return mirror.get("ready") == "yes"
        return False

    def _end(self, guest: Guest, disk: LocalDisk) -> None:
        """End the mirror, also one that a crash of ours left running; the guest stays on its own disk."""

        def stop(domain: Any) -> None:
            if domain.blockJobInfo(disk.target, 0):
                domain.blockJobAbort(disk.target, 0)

        with contextlib.suppress(ActionFailed):
            guest.do("end the snapshot of", stop, 120.0)

    def _failed(self, reason: str) -> ActionFailed:
        return ActionFailed(action="snapshot", host=self._host, reason=reason)
