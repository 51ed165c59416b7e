"""The sample files that are shipped say what the code says."""

from __future__ import annotations

from pathlib import Path

import yaml

import samples


def test_the_files_are_up_to_date() -> None:
    assert samples.stale() == [], "run tools/samples.py"


def test_files_that_are_missing_or_old_are_named(tmp_path: Path) -> None:
    assert samples.stale(tmp_path) == ["nova.conf.sample", "policy.yaml.sample"]
    (tmp_path / samples.FOLDER).mkdir(parents=True)
    for name, text in samples.samples().items():
        (tmp_path / samples.FOLDER / name).write_text(text)
    assert samples.stale(tmp_path) == []
    (tmp_path / samples.FOLDER / "nova.conf.sample").write_text("[DEFAULT]\n")
    assert samples.stale(tmp_path) == ["nova.conf.sample"]


def test_every_rule_of_the_policy_sample_can_be_switched_on() -> None:
    lines = samples.samples()["policy.yaml.sample"].splitlines()
    rules = yaml.safe_load("\n".join(line[1:] for line in lines if line.startswith('#"')))
    assert rules["os_compute_api:os-flavor-manage:create"] == "rule:context_is_admin"
    assert len(rules) > 60
