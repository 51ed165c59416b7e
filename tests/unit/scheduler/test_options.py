"""Options of the scheduler as operators have written them for years."""

from __future__ import annotations

from pathlib import Path

from nova.conf import load
from nova.conf.filter_scheduler import DEFAULT_FILTERS
from nova.conf.scheduler import SchedulerOptions, read

OLD = """
[DEFAULT]
scheduler_default_filters = RamFilter, ComputeFilter
scheduler_max_attempts = 5
scheduler_host_subset_size = 4
ram_weight_multiplier = -1.0
max_io_ops_per_host = 2
isolated_images = one, two
[filter_scheduler]
available_filters = nova.scheduler.filters.all_filters
available_filters = site.filters.Mine
"""


def test_defaults_are_those_of_the_plain_values() -> None:
    values = read(load([], files=[]))
    assert values.enabled_filters == DEFAULT_FILTERS
    plain = SchedulerOptions(
        available_filters=("nova.scheduler.filters.all_filters",),
        weight_classes=("nova.scheduler.weights.all_weighers",),
    )
    assert values == plain


def test_old_names_are_still_read(tmp_path: Path) -> None:
    file = tmp_path / "nova.conf"
    file.write_text(OLD)
    values = read(load([], files=[str(file)]))
    assert values.enabled_filters == ("RamFilter", "ComputeFilter")
    assert (values.max_attempts, values.host_subset_size, values.max_io_ops_per_host) == (5, 4, 2)
    assert values.ram_weight_multiplier == -1.0
    assert values.isolated_images == ("one", "two")
    assert values.available_filters == ("nova.scheduler.filters.all_filters", "site.filters.Mine")
