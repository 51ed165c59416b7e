"""Who calls: from a token to a principal.

``keystone`` asks Keystone through keystonemiddleware, ``noauth`` believes ``user:project`` (tests),
``static`` reads a file of tokens (a cloud without Keystone).  Imported by the mouths only.
"""

from nova.identity.principal import Credentials, Identity, Principal

__all__ = ["Credentials", "Identity", "Principal"]
