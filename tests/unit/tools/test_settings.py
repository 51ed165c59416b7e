from __future__ import annotations

from pathlib import Path

import pytest

from nova_tools.cloud.settings import Ports, Settings, choose, load, store
from nova_tools.trouble import Trouble


def test_a_new_cloud_takes_the_usual_form() -> None:
    assert choose({}, Path("/nowhere")) == Settings()


def test_split_brings_mariadb_and_a_named_database_brings_split() -> None:
    assert choose({"split": True}, Path("/nowhere")).database == "mariadb"
    chosen = choose({"database": "postgresql"}, Path("/nowhere"))
    assert (chosen.split, chosen.database) == (True, "postgresql")
    assert chosen.words() == "--split --database postgresql"


def test_several_hosts_need_the_fake_driver() -> None:
    with pytest.raises(Trouble, match="fake driver"):
        choose({"hosts": 3}, Path("/nowhere"))
    assert choose({"hosts": 3, "driver": "fake"}, Path("/nowhere")).words() == "--driver fake --hosts 3"


def test_a_cloud_that_stands_is_brought_up_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    there = Settings(split=True, database="mariadb", guest_range="10.77.0.0/24", address="0.0.0.0")
    store(there, path)
    assert load(path) == there
    assert choose({}, path) == there
    assert choose({"split": True}, path) == there


def test_a_cloud_of_another_form_is_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    store(Settings(guest_range="10.20.0.0/24"), path)
    with pytest.raises(Trouble, match=r"the default form, not --split.*tools/cloud reset"):
        choose({"split": True}, path)


def test_ports_move_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOVA_CLOUD_PORT_OFFSET", "10000")
    assert choose({}, Path("/nowhere")).ports == Ports.shifted(10000)
    assert Ports.shifted(10000).compute == 18774
    monkeypatch.setenv("NOVA_CLOUD_PORT_OFFSET", "many")
    with pytest.raises(Trouble, match="NOVA_CLOUD_PORT_OFFSET is 'many'"):
        choose({}, Path("/nowhere"))
