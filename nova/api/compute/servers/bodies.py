"""JSON schemas of the bodies that make and change servers, at the newest version."""

from __future__ import annotations

from nova.api.wsgi.schema_parts import (
    ANYTHING,
    BASE64,
    BOOLEAN,
    DESCRIPTION,
    HOST,
    IPV4,
    IPV6,
    METADATA,
    NAME,
    NULL,
    POSITIVE,
    STRING,
    TAG,
    UUID,
    Json,
    body,
    closed,
    many,
    one_of_words,
    text,
    wrapped,
)

_ADDRESS: Json = {"type": "string", "oneOf": [{"format": "ipv4"}, {"format": "ipv6"}]}
_DEVICE_NAME: Json = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[a-zA-Z0-9._/-]*$"}
_SIZE: Json = {"type": ["integer", "string"], "pattern": "^[0-9]+$", "minimum": 1, "maximum": 0x7FFFFFFF}
_DISK_CONFIG: Json = one_of_words("AUTO", "MANUAL")

HINTS: Json = {
    "type": "object",
    "properties": {
        "group": {"oneOf": [many(UUID), UUID]},
        "different_host": {"oneOf": [UUID, many(UUID)]},
        "same_host": {"type": ["string", "array"], "items": UUID},
        "query": {"type": ["string", "object"]},
        "target_cell": NAME,
        "different_cell": {"type": ["string", "array"], "items": STRING},
        "build_near_host_ip": _ADDRESS,
        "cidr": {"type": "string", "pattern": "^/[0-9a-f.:]+$"},
    },
    "additionalProperties": True,
}

_WORD: Json = {"type": "string", "maxLength": 255}
_MAPPING: Json = {
    "virtual_name": _WORD,
    "connection_info": {"type": "string", "maxLength": 16777215},
    "delete_on_termination": BOOLEAN,
    "device_name": _DEVICE_NAME,
    "no_device": ANYTHING,
    "snapshot_id": UUID,
    "volume_id": UUID,
    "volume_size": _SIZE,
}


MAPPING_V1: Json = closed(_MAPPING)
MAPPING_V2: Json = closed(
    {
        **_MAPPING,
        "boot_index": {"type": ["integer", "string", "null"], "pattern": "^-?[0-9]+$"},
        "destination_type": one_of_words("local", "volume"),
        "device_type": _WORD,
        "disk_bus": _WORD,
        "guest_format": _WORD,
        "image_id": UUID,
        "source_type": one_of_words("volume", "image", "snapshot", "blank"),
        "tag": TAG,
        "uuid": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[a-zA-Z0-9._-]*$"},
        "volume_type": {"type": ["string", "null"], "minLength": 0, "maxLength": 255},
    }
)

NETWORKS: Json = {
    "oneOf": [
        many(
            closed(
                {
                    "fixed_ip": _ADDRESS,
                    "port": {"type": ["string", "null"], "format": "uuid"},
                    "tag": TAG,
                    "uuid": UUID,
                }
            )
        ),
        one_of_words("none", "auto"),
    ]
}

_SERVER: Json = {
    "name": NAME,
    "flavorRef": {"type": ["string", "integer"], "minLength": 1},
    "imageRef": {"oneOf": [UUID, {"type": "string", "maxLength": 0}]},
    "networks": NETWORKS,
    "OS-DCF:diskConfig": _DISK_CONFIG,
    "accessIPv4": IPV4,
    "accessIPv6": IPV6,
    "adminPass": STRING,
    "availability_zone": NAME,
    "block_device_mapping": many(MAPPING_V1),
    "block_device_mapping_v2": many(MAPPING_V2),
    "config_drive": BOOLEAN,
    "description": DESCRIPTION,
    "host": HOST,
    "hostname": HOST,
    "hypervisor_hostname": HOST,
    "key_name": NAME,
    "max_count": POSITIVE,
    "metadata": METADATA,
    "min_count": POSITIVE,
    "return_reservation_id": BOOLEAN,
    "security_groups": many(closed({"name": NAME})),
    "tags": {"type": "array", "items": TAG, "maxItems": 50},
    "trusted_image_certificates": {
        "type": ["array", "null"],
        "items": {"type": "string", "minLength": 1},
        "minItems": 1,
        "maxItems": 50,
        "uniqueItems": True,
    },
    "user_data": BASE64 | {"maxLength": 65535},
}

CREATE: Json = body(
    ("server",),
    **{
        "server": closed(_SERVER, ("name", "flavorRef", "networks")),
        "os:scheduler_hints": HINTS,
        "OS-SCH-HNT:scheduler_hints": HINTS,
    },
)
UPDATE: Json = wrapped(
    "server",
    closed(
        {
            "name": NAME,
            "OS-DCF:diskConfig": _DISK_CONFIG,
            "accessIPv4": IPV4,
            "accessIPv6": IPV6,
            "description": DESCRIPTION,
            "hostname": HOST,
            "pinned_availability_zone": {"oneOf": [text(255, 1), NULL]},
        }
    ),
)


def action(name: str, argument: Json = ANYTHING) -> Json:
    """Return the body of an action: its name with an argument, by default whatever was sent."""
    return wrapped(name, argument)


CREATE_IMAGE: Json = action("createImage", body(("name",), name=NAME, metadata=METADATA))
REBOOT: Json = action(
    "reboot", body(("type",), type=one_of_words("HARD", "Hard", "hard", "SOFT", "Soft", "soft"))
)
RESET_STATE: Json = action("os-resetState", body(("state",), state=one_of_words("active", "error")))
LOCK: Json = action(
    "lock",
    {
        "type": ["object", "null"],
        "properties": {"locked_reason": text(255, 1)},
        "additionalProperties": False,
    },
)
CONSOLE_OUTPUT: Json = action(
    "os-getConsoleOutput",
    body(length={"type": ["integer", "string", "null"], "pattern": "^-?[0-9]+$", "minimum": -1}),
)
REMOTE_CONSOLE: Json = wrapped(
    "remote_console",
    body(
        ("protocol", "type"),
        protocol=one_of_words("vnc", "spice", "serial", "rdp", "mks"),
        type=one_of_words("novnc", "xvpvnc", "spice-html5", "serial", "rdp-html5", "webmks", "spice-direct"),
    ),
)
