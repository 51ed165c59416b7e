"""Images: where they are kept, behind one Protocol.

* :mod:`nova.image.base` is the Protocol :class:`~nova.image.base.ImageStore`.
* :mod:`nova.image.glance` is the OpenStack image service, with nova's own credentials.
* :mod:`nova.image.directory` is a folder, for clouds without an image service and for tests.
* :mod:`nova.image.choice` makes the one that the configuration asks for.

Used by nova-api (reading for its proxy), nova-conductor (facts for boots, new images of snapshots) and
nova-compute (downloads and uploads).
"""
