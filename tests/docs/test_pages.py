"""What the pages name is there: files, programs, commands and their options, options of nova.conf."""

from __future__ import annotations

import configparser
import re
import shlex
import subprocess
import sys

import pytest

from nova import conf as nova_conf
from nova_tools.checks.parts import PARTS
from nova_tools.places import CHECKOUT
from tests.docs import pages

_declared = configparser.ConfigParser()
_declared.read(CHECKOUT / "setup.cfg")
PROGRAMS = {
    line.split("=")[0].strip()
    for line in _declared["options.entry_points"]["console_scripts"].split("\n")
    if line
}
PATH = re.compile(r"(?:nova|tools|tests|doc|etc|alembic|changelog)/[\w./-]+")


@pytest.mark.parametrize("page", pages.PAGES)
def test_files_that_a_page_names_are_there(page: str) -> None:
    named = [word for word in pages.inline(page) if PATH.fullmatch(word) and "NNN" not in word]
    assert [word for word in named if not (CHECKOUT / word).exists()] == []


@pytest.mark.parametrize("page", pages.PAGES)
def test_programs_that_a_page_names_are_ours(page: str) -> None:
    named = {word for found in pages.inline(page) for word in re.findall(r"(?<![\w./-])nova-[a-z-]+", found)}
    said_of_others = {"nova-cloud", "nova-test"}
    assert named - PROGRAMS - said_of_others == set()


def manage(*words: str) -> subprocess.CompletedProcess[str]:
    program = "import sys; from nova.cmd.manage.main import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", program, *words, "--help"], capture_output=True, text=True, timeout=60
    )


def test_commands_of_nova_manage_exist_with_the_options_shown() -> None:
    shown = [line for page in pages.PAGES for line in pages.commands(page) if line.startswith("nova-manage ")]
    assert shown
    for line in shown:
        words = shlex.split(line)[1:]
        said = manage(*words[:2])
        assert said.returncode == 0, (line, said.stderr)
        for option in (word for word in words if word.startswith("--")):
            assert option in said.stdout, line


def test_the_table_of_nova_manage_is_complete() -> None:
    table = pages.text("doc/source/operator.rst").split("nova-manage\n---")[1].split("\n\n")[0]
    rows = [line for line in table.splitlines() if line.startswith("``")]
    told: set[tuple[str, str]] = set()
    for row in rows:
        names = re.findall(r"``([^`]+)``", row[:46])
        group = names[0].split()[0]
        commands = (name.removeprefix(f"{group} ").split()[0] for name in names)
        told |= {(group, command) for command in commands if not command.startswith("[")}
    for group in {group for group, _ in told}:
        listed = re.findall(r"^    ([a-z][\w-]*)\b", manage(group).stdout, re.MULTILINE)
        assert {name for g, name in told if g == group} == set(listed), group


def test_groups_of_options_that_pages_name_exist() -> None:
    conf = nova_conf.load([], files=[])
    # The groups of two libraries, registered when they are used.
    known = {"DEFAULT", "keystone_authtoken", "glance", *conf._groups}
    for page in ("doc/source/operator.rst", "doc/source/user.rst", "README.rst"):
        named = set(re.findall(r"(?m)^\s*\[(\w+)\]|``\[(\w+)\]", pages.text(page)))
        assert {group for pair in named for group in pair if group} <= known, page
        for group, option in re.findall(r"``\[(\w+)\]\s+(\w+)``", pages.text(page)):
            assert option in (conf if group == "DEFAULT" else conf[group]), (page, group, option)


def tool(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], cwd=CHECKOUT, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("page", pages.PAGES)
def test_options_of_tools_that_pages_name_exist(page: str) -> None:
    shown = [word for word in (*pages.commands(page), *pages.inline(page)) if "tools/cloud " in word]
    for line in shown:
        words = shlex.split(line[line.index("tools/cloud ") :].split(")")[0], comments=True)
        if words[1:] == ["--help"]:
            continue
        said = tool("tools/cloud", words[1], "--help")
        assert said.returncode == 0, line
        for option in (word for word in words if word.startswith("--")):
            assert option in said.stdout, line


def test_parts_of_the_tests_are_those_that_are_told() -> None:
    names = {part.name for part in PARTS}
    said = tool("tools/test", "--help").stdout
    assert all(name in said for name in names)
    told = set()
    table = pages.text("CONTRIBUTING.rst").split("part   ")[1].split("\n\n")[0]
    for row in re.findall(r"(?m)^``.*$", table):
        told |= set(re.findall(r"``([a-z-]+)``", row))
    assert names <= told
    asked = tool("tools/test", "nonsense")
    assert asked.returncode == 2 and "parts are" in asked.stderr
