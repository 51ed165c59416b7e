"""What a guest is told about itself: the EC2-style and the OpenStack-style tree, as pure functions.

The metadata service answers from here and nova-compute fills config drives from here, so both say the same.
Nothing here does I/O, asks a clock or draws random bytes; everything comes in with :class:`Facts`.

Runs in nova-api-metadata and nova-compute; everybody may import it, it imports ``nova.objects`` alone.
"""

from __future__ import annotations

from nova.guestdata.facts import Facts, VendorData

__all__ = ["Facts", "VendorData"]
