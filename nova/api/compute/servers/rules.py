"""Policy rules that several modules of this package ask; the names and defaults are public."""

from __future__ import annotations

from nova.policy import ADMIN, PROJECT_MEMBER_OR_ADMIN, PROJECT_READER_OR_ADMIN, Rule

INDEX = Rule("os_compute_api:servers:index", PROJECT_READER_OR_ADMIN, "List servers.")
DETAIL = Rule("os_compute_api:servers:detail", PROJECT_READER_OR_ADMIN, "List servers with details.")
SHOW = Rule("os_compute_api:servers:show", PROJECT_READER_OR_ADMIN, "Show a server.")
UPDATE = Rule("os_compute_api:servers:update", PROJECT_MEMBER_OR_ADMIN, "Change a server.")
DELETE = Rule("os_compute_api:servers:delete", PROJECT_MEMBER_OR_ADMIN, "Delete a server.")

INDEX_ALL = Rule("os_compute_api:servers:index:get_all_tenants", ADMIN, "List servers of all projects.")
DETAIL_ALL = Rule(
    "os_compute_api:servers:detail:get_all_tenants", ADMIN, "List servers of all projects with details."
)
ALL_FILTERS = Rule("os_compute_api:servers:allow_all_filters", ADMIN, "Filter servers by any column.")

ATTRIBUTES = Rule("os_compute_api:os-extended-server-attributes", ADMIN, "See OS-EXT-SRV-ATTR:* of servers.")
EXTRA_SPECS = Rule(
    "os_compute_api:servers:show:flavor-extra-specs",
    PROJECT_READER_OR_ADMIN,
    "See the extra specs of a server's flavor.",
)
HOST_STATUS = Rule("os_compute_api:servers:show:host_status", ADMIN, "See the status of a server's host.")
HOST_UNKNOWN = Rule(
    "os_compute_api:servers:show:host_status:unknown-only",
    ADMIN,
    "See the status of a server's host when it is UNKNOWN.",
)
VIEWS = (ATTRIBUTES, EXTRA_SPECS, HOST_STATUS, HOST_UNKNOWN)
"""What the view of a server asks."""
