"""Glance on SQLite with its images in a directory, from the environment it shares with Keystone."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from nova_tools.api_client import ApiError, request, upload
from nova_tools.commands import run
from nova_tools.locks import only_one
from nova_tools.processes import Program

_WSGI_APP = Path(__file__).with_name("wsgi_app.py")

_CONF = """\
[DEFAULT]
log_file =
enabled_backends = fs:file
show_multiple_locations = false
[database]
connection = sqlite:///{directory}/glance.db
[glance_store]
default_backend = fs
[fs]
filesystem_store_datadir = {directory}/images
[os_glance_staging_store]
filesystem_store_datadir = {directory}/staging
[os_glance_tasks_store]
filesystem_store_datadir = {directory}/tasks
[paste_deploy]
flavor = keystone
config_file = {directory}/glance-api-paste.ini
[oslo_policy]
enforce_scope = true
[keystone_authtoken]
auth_type = password
auth_url = {auth_url}
www_authenticate_uri = {auth_url}
username = glance
password = {password}
project_name = service
user_domain_id = default
project_domain_id = default
service_token_roles = service
service_token_roles_required = true
"""


@dataclass(frozen=True, kw_only=True)
class Glance:
    """One Glance; ``template`` is where a fresh database is kept to be copied."""

    directory: Path
    venv: Path
    template: Path
    port: int
    auth_url: str
    password: str
    address: str = "127.0.0.1"

    @property
    def url(self) -> str:
        """What stands in the catalogue."""
        return f"http://{self.address}:{self.port}"

    def make_template(self) -> None:
        """Make a fresh database (6 s). Idempotent."""
        with only_one(self.template.with_suffix(".lock")):
            if (self.template / "glance.db").exists():
                return
            work = self.template.with_name(self.template.name + ".new")
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir(parents=True)
            self._write_conf(work)
            run(
                [self.venv / "bin/glance-manage", "--config-file", work / "glance-api.conf", "db_sync"],
                log=work / "glance-manage.log", seconds=240,
            )  # fmt: skip
            work.rename(self.template)

    def prepare(self) -> None:
        """Write the configuration and the database unless it is there. Idempotent."""
        self.make_template()
        self._write_conf(self.directory)
        database = self.directory / "glance.db"
        if not database.exists():
            fresh = database.with_suffix(".new")
            shutil.copyfile(self.template / "glance.db", fresh)
            fresh.rename(database)

    def _write_conf(self, directory: Path) -> None:
        for name in ("images", "staging", "tasks"):
            (directory / name).mkdir(parents=True, exist_ok=True)
        conf = directory / "glance-api.conf"
        conf.touch(mode=0o600)
        conf.write_text(_CONF.format(directory=directory, auth_url=self.auth_url, password=self.password))
        for source in (self.venv / "etc/glance").glob("*"):
            if source.name.endswith((".ini", ".json", ".conf.sample")) and source.is_file():
                shutil.copyfile(source, directory / source.name)

    def program(self, name: str = "glance") -> Program:
        """Return how to run it; it is ready when it lists its API versions."""
        return Program(
            name=name,
            argv=(
                str(self.venv / "bin/python"),
                "-P",
                str(_WSGI_APP),
                "glance",
                self.address,
                str(self.port),
            ),
            env={"OS_GLANCE_CONFIG_DIR": str(self.directory)},
            address=self.address,
            port=self.port,
            runs_on=str(self.venv),
            ready=self.answers,
            start_seconds=120,
        )

    def answers(self) -> bool:
        """Tell whether Glance lists its API versions (300 is the answer to that)."""
        try:
            request("GET", f"{self.url}/versions", seconds=5)
        except ApiError as error:
            return error.status == 300
        except OSError:
            return False
        return True

    def store(self, token: str, name: str, file: Path, properties: dict[str, str]) -> str:
        """Upload a qcow2 as a public image unless its very content is there; return the image's id."""
        content = _sha512(file)
        listed = request("GET", f"{self.url}/v2/images?name={name}&status=active", token=token)
        for image in listed["images"]:
            if image.get("os_hash_value") == content:
                return str(image["id"])
        made = request(
            "POST", f"{self.url}/v2/images", token=token,
            body={
                "name": name, "disk_format": "qcow2", "container_format": "bare", "visibility": "public",
                "min_ram": 64, **properties,
            },
        )  # fmt: skip
        upload(f"{self.url}/v2/images/{made['id']}/file", token, file)
        for image in listed["images"]:  # an older build of the same image
            request("DELETE", f"{self.url}/v2/images/{image['id']}", token=token)
        return str(made["id"])


def _sha512(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha512").hexdigest()
