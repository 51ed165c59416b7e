"""Options of where images are (``[image]``); Glance's own options are in ``[glance]``."""

from __future__ import annotations

import pathlib

import msgspec
from oslo_config import cfg

GROUP = "image"

OPTIONS: tuple[cfg.Opt, ...] = (
    cfg.StrOpt(
        "store",
        default="glance",
        choices=["glance", "directory"],
        help="The image service (its address and our credentials are in [glance]), or a folder.",
    ),
    cfg.StrOpt("directory", default="", help="Folder for store = directory; state_path/images by default."),
)


class ImageConf(msgspec.Struct, frozen=True, kw_only=True):
    """What the makers of image stores want to know."""

    store: str = "glance"
    directory: pathlib.Path = pathlib.Path("/var/lib/nova/images")


def register(conf: cfg.ConfigOpts) -> None:
    """Make the options known to a configuration object; ``nova.conf.daemon`` must be known to it too."""
    conf.register_opts(OPTIONS, group=GROUP)


def read(conf: cfg.ConfigOpts) -> ImageConf:
    """Return the options as one frozen value."""
    group = conf[GROUP]
    return ImageConf(
        store=group.store, directory=pathlib.Path(group.directory or f"{conf.state_path}/images")
    )
