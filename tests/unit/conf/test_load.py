"""Options come from files, folders and the command line; nothing is global."""

from __future__ import annotations

import pathlib

import pytest
from oslo_config import cfg

from nova import conf
from nova.conf import options


def test_two_configurations_do_not_know_of_each_other(tmp_path: pathlib.Path) -> None:
    first, second = tmp_path / "a.conf", tmp_path / "b.conf"
    first.write_text("[DEFAULT]\nhost = one\ntransport_url = memory:///one\n[rpc]\npool_size = 3\n")
    second.write_text("[DEFAULT]\nhost = two\n")
    one, two = conf.load([], [str(first)]), conf.load([], [str(second)])
    assert (one.host, one.transport_url, one.rpc.pool_size) == ("one", "memory:///one", 3)
    assert (two.host, two.rpc.pool_size) == ("two", 16)
    assert "host" not in cfg.CONF


def test_later_files_and_arguments_win(tmp_path: pathlib.Path) -> None:
    base = tmp_path / "base.conf"
    base.write_text("[DEFAULT]\nhost = base\nmy_ip = 10.0.0.1\n")
    folder = tmp_path / "d"
    folder.mkdir()
    (folder / "9.conf").write_text("[DEFAULT]\nhost = folder\n")
    read = conf.load(["--config-dir", str(folder), "--health-port", "0"], [str(base)])
    assert (read.host, read.my_ip, read.health.port) == ("folder", "10.0.0.1", 0)


def test_the_database_is_below_the_state_path(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "n.conf"
    file.write_text("[DEFAULT]\nstate_path = /srv/nova\n")
    assert conf.load([], [str(file)]).database.connection == "sqlite:////srv/nova/nova.sqlite"


def test_a_wrong_value_is_told(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "n.conf"
    file.write_text("[rpc]\npool_size = many\n")
    with pytest.raises(cfg.ConfigFileValueError, match="pool_size"):
        _ = conf.load([], [str(file)]).rpc.pool_size


def test_every_option_has_a_help_and_the_sample_reads_back(tmp_path: pathlib.Path) -> None:
    text = options.sample(conf.declared())
    known = conf.load([], [])
    for group, declared in conf.declared().in_order():
        part = text.partition(f"[{group}]\n")[2].partition("\n[")[0]
        for option in declared:
            assert option.help, option.name
            assert f"#{option.dest} = " in part, (group, option.dest)
            assert option.dest in (known if group == "DEFAULT" else known[group])
    file = tmp_path / "sample.conf"
    file.write_text(
        "\n".join(line.removeprefix("#") if "# " not in line else line for line in text.split("\n"))
    )
    read = conf.load([], [str(file)])
    assert read.rpc.resend_after == 3.0 and read.health.ports["nova-api"] == "9771"
