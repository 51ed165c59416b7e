"""Typed values that cross process borders: frozen msgspec structs, enums and typed ids.

No I/O, no clock, no defaults drawn at random; imports nothing of nova but itself.  Everybody may import it.
Unknown fields are ignored on reading and missing ones take their default: that is the whole compatibility
rule between one release and the next, so a new field always has a default.  Sizes carry their unit in the
name (``ram_mb``, ``disk_gb``, ``size_bytes``); times are timezone-aware UTC datetimes.
"""
