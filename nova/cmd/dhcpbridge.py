"""nova-dhcpbridge: dnsmasq's callback, for operators who name it in option ``dhcpbridge``."""

from __future__ import annotations

import sys

from nova.network import dhcpbridge


def main() -> int:
    """Handle one call of dnsmasq."""
    return dhcpbridge.main(sys.argv)


if __name__ == "__main__":
    sys.exit(main())
