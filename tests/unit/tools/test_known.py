from __future__ import annotations

import io
from pathlib import Path

from nova_tools.cloud.known import once, recall_machine
from nova_tools.cloud.parts import Cloud
from nova_tools.cloud.settings import Settings
from nova_tools.cloud.take_down import remove
from nova_tools.places import Places
from nova_tools.progress import Progress


def cloud_in(home: Path) -> Cloud:
    cloud = Cloud(Places(home, home / "installed"), Settings())
    cloud.write_conf()
    return cloud


def test_what_a_cloud_learned_of_the_machine_outlives_a_reset(tmp_path: Path) -> None:
    cloud = cloud_in(tmp_path)
    recall_machine(cloud)
    assert not cloud.virt_type.exists()
    cloud.virt_type.write_text("some boot\nqemu\n")
    remove(cloud, Progress(io.StringIO()), everything=False)
    assert not cloud.virt_type.exists()
    cloud = cloud_in(tmp_path)
    recall_machine(cloud)
    assert cloud.virt_type.read_text() == "some boot\nqemu\n"
    cloud.virt_type.write_text("a later boot\nkvm\n")
    recall_machine(cloud)
    assert cloud.virt_type.read_text() == "a later boot\nkvm\n"


def test_a_reset_of_everything_leaves_nothing(tmp_path: Path) -> None:
    cloud = cloud_in(tmp_path)
    cloud.virt_type.write_text("some boot\nqemu\n")
    remove(cloud, Progress(io.StringIO()), everything=True)
    assert list(tmp_path.iterdir()) == []


def test_a_deed_is_done_once_for_each_database_and_input(tmp_path: Path) -> None:
    cloud, database, done = cloud_in(tmp_path), tmp_path / "database", []

    def deed() -> None:
        database.touch()
        done.append(database.stat().st_ino)

    assert once(cloud, "deed", database, deed, "a")
    assert not once(cloud, "deed", database, deed, "a")
    assert once(cloud, "deed", database, deed, "b")
    database.rename(tmp_path / "aside")  # kept, so that its inode is not used again
    assert once(cloud, "deed", database, deed, "b")
    assert len(done) == 3
