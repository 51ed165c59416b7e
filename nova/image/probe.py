"""Is the image service what the configuration says?  Asked with the operator's own tool, python-glanceclient.

An independent witness for ``nova-status``: the daemons speak to Glance without it
(:mod:`nova.image.glance`), for the client costs half a second of CPU and 20 MB to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nova.conf import image as image_conf
from nova.errors.admin import ImageServiceAmiss

if TYPE_CHECKING:
    from oslo_config import cfg


_MOST_S = 10.0
"""A person waits; who needs longer for so little is amiss."""


def probe(conf: cfg.ConfigOpts) -> str:
    """Log in, list an image, and say what is there; raise ``ImageServiceAmiss``."""
    settings = image_conf.read(conf)
    if settings.store == "directory":
        if not settings.directory.is_dir():
            raise ImageServiceAmiss(reason=f"there is no folder {settings.directory}")
        return f"the folder {settings.directory} is there"
    return _glance(conf)


def _glance(conf: cfg.ConfigOpts) -> str:
    import glanceclient
    from glanceclient import exc
    from keystoneauth1 import exceptions as ksa

    from nova.image.glance import make_adapter

    try:
        adapter = make_adapter(conf)
        adapter.session.timeout = min(adapter.session.timeout or _MOST_S, _MOST_S)
        client = glanceclient.Client(
            "2",
            session=adapter.session,
            auth=adapter.auth,
            service_type=adapter.service_type,
            interface=adapter.interface,
            region_name=adapter.region_name,
            endpoint_override=adapter.endpoint_override,
        )
        seen = next(iter(client.images.list(limit=1)), None)
        where = adapter.get_endpoint()
    except (ksa.ClientException, exc.ClientException, OSError) as error:
        reason = " ".join(str(error).split())[:600]
        raise ImageServiceAmiss(reason=f"{type(error).__name__}: {reason}") from error
    return f"{where} answers{'' if seen else ', and has no image'}"
