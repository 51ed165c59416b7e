"""Classes of others, found by stevedore through the entry points of installed packages.

Our own drivers, filters and weighers are found by their names in tables (``nova.virt.registry``,
``nova.scheduler.registry``); only what is not there is looked for here.  Imports nothing of nova.
"""

from __future__ import annotations


def plugin(group: str, name: str) -> object:
    """Return what the entry point ``name`` of a group names.

    Raises ``ImportError`` if there is none, if several packages have one, or if it cannot be loaded.
    """
    from stevedore import exception
    from stevedore.driver import DriverManager

    try:
        manager: DriverManager[object] = DriverManager(
            group, name, on_missing_entrypoints_callback=_say_nothing
        )
    except exception.MultipleMatches as error:
        raise ImportError(f"several packages have an entry point {name} in the group {group}") from error
    except exception.NoMatches as error:
        raise ImportError(f"no entry point {name} in the group {group}") from error
    return manager.driver


def _say_nothing(names: set[str]) -> None:
    """Let the caller tell what is missing."""
    del names
