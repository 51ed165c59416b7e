"""Config drives: a small ISO 9660 file labelled ``config-2`` with the guest's metadata."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from pathlib import Path

from nova import ids
from nova.conf.compute import ComputeConf
from nova.errors import NovaError
from nova.errors.host import CommandFailed, CommandTimedOut, ProgramMissing
from nova.errors.virt import BuildFailed
from nova.guestdata import Facts, VendorData, ec2_tree, openstack_tree
from nova.guestdata.vendor_data import read_static
from nova.objects.guest import GuestSpec
from nova.objects.ids import InstanceId
from nova.objects.metadata import GuestMetadata
from nova.privsep import files
from nova.privsep.run import run

LOG = logging.getLogger(__name__)

FOLDER = "_config_drives"
LABEL = "config-2"
"""cloud-init looks for a file system with this label."""
_TIMEOUT_S = 60.0


class ConfigDrives:
    """Makes config drives on this host."""

    def __init__(
        self,
        conf: ComputeConf,
        host: str,
        look_up: Callable[[InstanceId], GuestMetadata | None],
        vendor_file: Path | None = None,
    ) -> None:
        self._conf = conf
        self._host = host
        self._look_up = look_up
        self._vendor_file = vendor_file

    def make(self, spec: GuestSpec) -> Path:
        """Make the drive of a guest; the caller moves or removes the file.  Raises ``BuildFailed``."""
        folder = self._conf.instances_path / FOLDER
        files.make_private_directory(folder, 0o700)
        target = folder / f"{spec.id}.{ids.new_uuid()}.iso"
        with tempfile.TemporaryDirectory(dir=folder) as tree:
            for name, content in self._documents(spec).items():
                path = Path(tree) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            try:
                run([*self._words(target), tree], timeout_s=_TIMEOUT_S)
            except (CommandFailed, CommandTimedOut, ProgramMissing) as error:
                target.unlink(missing_ok=True)
                LOG.error("a config drive could not be made: %s", error)
                raise BuildFailed(host=self._host, reason="its config drive could not be made") from None
        target.chmod(0o600)
        return target

    def _words(self, target: Path) -> list[str]:
        publisher = "OpenStack Compute"
        return [
            *(self._conf.mkisofs, "-o", str(target), "-ldots", "-allow-lowercase", "-allow-multidot", "-l"),
            *("-publisher", publisher, "-quiet", "-J", "-r", "-V", LABEL),
        ]

    def _documents(self, spec: GuestSpec) -> dict[str, bytes]:
        try:
            known = self._look_up(spec.id)
        except NovaError as error:
            raise BuildFailed(host=self._host, reason=f"its metadata could not be read: {error}") from error
        facts = Facts(
            md=GuestMetadata(
                guest=spec,
                instance_id=spec.id,
                security_groups=known.security_groups if known else (),
                ec2_instance_id=known.ec2_instance_id if known else "",
                ec2_image_id=known.ec2_image_id if known else "",
                public_ipv4=known.public_ipv4 if known else None,
            ),
            domain=self._conf.dhcp_domain,
            seed=ids.new_seed(),
            vendor=VendorData(static=self._vendor()),
            with_admin_password=True,
        )
        skip = self._conf.config_drive_skip_versions
        return openstack_tree.documents(facts) | ec2_tree.documents(facts, skip)

    def _vendor(self) -> dict[str, object]:
        if self._vendor_file is None:
            return {}
        try:
            return dict(read_static(self._vendor_file.read_bytes()))
        except OSError as error:
            LOG.warning("the operator's vendor data cannot be read: %s", error)
            return {}
