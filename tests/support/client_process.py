"""Runs the stock clients for ``clients.py``: one question a line on standard input, one answer on the output.

Lives in the clients' environment: imports nothing of ours.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import os
import sys
import traceback
from typing import Any


def run_command(argv: list[str]) -> int:
    """Run a command line as its console script does; return the exit code."""
    program, *words = argv
    if program == "nova":
        from novaclient.shell import OpenStackComputeShell

        try:
            OpenStackComputeShell().main(words)
        except Exception as error:  # as novaclient's own main() does
            print(f"ERROR ({type(error).__name__}): {error}", file=sys.stderr)
            return 1
        return 0
    if program == "openstack":
        from openstackclient.shell import OpenStackShell

        return int(OpenStackShell().run(words) or 0)
    raise ValueError(program)


def run_script(path: str, check: str, facts: dict[str, Any]) -> Any:
    """Call ``check(conn, nova, **facts)`` of a file, which may import its neighbours."""
    import openstack
    from keystoneauth1 import session
    from keystoneauth1.identity import v3
    from novaclient import client

    if (folder := os.path.dirname(path)) not in sys.path:
        sys.path.append(folder)
    spec = importlib.util.spec_from_file_location("scenario", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    env = os.environ
    auth = v3.Password(
        auth_url=env["OS_AUTH_URL"], username=env["OS_USERNAME"], password=env["OS_PASSWORD"],
        project_name=env["OS_PROJECT_NAME"], user_domain_name="Default", project_domain_name="Default",
    )  # fmt: skip
    nova = client.Client("2.90", session=session.Session(auth=auth))
    # Security groups are the compute service's own here: there is no network service.
    conn = openstack.connect(load_yaml_config=False, load_envvars=True, secgroup_source="nova")
    try:
        return getattr(module, check)(conn, nova, **facts)
    finally:
        conn.close()


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    """Do what one line asks for."""
    out, err, result = io.StringIO(), io.StringIO(), None
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            if "argv" in asked:
                code = run_command(asked["argv"])
            else:
                code, result = 0, run_script(asked["script"], asked["check"], asked["facts"])
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:
            code = 1
            traceback.print_exc()
    return {"code": code, "out": out.getvalue(), "err": err.getvalue(), "result": result}


def main() -> None:
    questions, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    # What asks a person finds nobody; what writes to the descriptor itself does not mix with answers.
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    for line in questions:
        answers.write(json.dumps(answer(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
