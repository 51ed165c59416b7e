"""Messages of AMQP 0-9-1 as bytes: publish and acknowledge written, deliveries read.

Nearly all that crosses a connection is one of these; the rest (declaring, consuming) is left to py-amqp.
Layout: "AMQP 0-9-1 complete reference", sections 2.3.5 (frames), 4.2 (fields) and 1.8 (basic).
"""

from __future__ import annotations

import struct

import msgspec
from amqp.serialization import loads

METHOD, HEADER, BODY, HEARTBEAT = 1, 2, 3, 8
END = b"\xce"
HEARTBEAT_FRAME = b"\x08\x00\x00\x00\x00\x00\x00\xce"

PUBLISH, RETURN, DELIVER, ACK, NACK, CANCEL = (
    (60, 40), (60, 50), (60, 60), (60, 80), (60, 120), (60, 30),
)  # fmt: skip

CONTENT_TYPE = "application/vnd.nova.msgpack"
TRANSIENT, DURABLE = 1, 2

_HEAD = struct.Struct(">BHI")
_METHOD = struct.Struct(">HH")
_CONTENT = struct.Struct(">HHQH")

_F_CONTENT_TYPE, _F_ENCODING, _F_HEADERS, _F_DELIVERY = 0x8000, 0x4000, 0x2000, 0x1000
_F_PRIORITY, _F_CORRELATION, _F_REPLY_TO, _F_EXPIRATION = 0x0800, 0x0400, 0x0200, 0x0100
_F_MESSAGE_ID = 0x0080


class Properties(msgspec.Struct, frozen=True):
    """The properties of a message that we use; ``headers`` stay as they came."""

    content_type: str = ""
    delivery_mode: int = TRANSIENT
    correlation_id: str = ""
    reply_to: str = ""
    expiration: str = ""
    message_id: str = ""
    headers: bytes = b""


def short(text: str) -> bytes:
    """Write a short string; ``ValueError`` above 255 bytes."""
    data = text.encode()
    if len(data) > 255:
        raise ValueError(f"too long for a name of a queue or message: {text[:40]}...")
    return bytes((len(data),)) + data


def frame(kind: int, channel: int, content: bytes) -> bytes:
    return _HEAD.pack(kind, channel, len(content)) + content + END


def publish_method(channel: int, exchange: str, key: str, *, mandatory: bool = True) -> bytes:
    """Write the frame that says where a message goes; what is mandatory comes back if it has no queue."""
    mandatory_bit = b"\x01" if mandatory else b"\x00"
    return frame(
        METHOD, channel, _METHOD.pack(*PUBLISH) + b"\x00\x00" + short(exchange) + short(key) + mandatory_bit
    )


def properties(props: Properties) -> bytes:
    """Write the flags and values of a message's properties, up to the message id: that follows as a short."""
    flags = _F_CONTENT_TYPE | _F_DELIVERY | _F_MESSAGE_ID
    parts = [short(props.content_type or CONTENT_TYPE)]
    if props.headers:
        flags |= _F_HEADERS
        parts.append(struct.pack(">I", len(props.headers)) + props.headers)
    parts.append(bytes((props.delivery_mode,)))
    for flag, text in (
        (_F_CORRELATION, props.correlation_id),
        (_F_REPLY_TO, props.reply_to),
        (_F_EXPIRATION, props.expiration),
    ):
        if text:
            flags |= flag
            parts.append(short(text))
    return struct.pack(">H", flags) + b"".join(parts)


def content(channel: int, props: bytes, body: bytes, frame_max: int) -> bytes:
    """Write the frames of a message's properties and body."""
    head = struct.pack(">HHQ", 60, 0, len(body)) + props
    parts = [frame(HEADER, channel, head)]
    most = frame_max - 8
    if len(body) <= most:
        if body:
            parts += (_HEAD.pack(BODY, channel, len(body)), body, END)
    else:
        for start in range(0, len(body), most):
            piece = body[start : start + most]
            parts += (_HEAD.pack(BODY, channel, len(piece)), piece, END)
    return b"".join(parts)


def ack(channel: int, tag: int) -> bytes:
    """Write that one delivery was taken over."""
    return frame(METHOD, channel, struct.pack(">HHQB", *ACK, tag, 0))


def requeue(channel: int, tag: int) -> bytes:
    """Write that one delivery goes back to its queue."""
    return frame(METHOD, channel, struct.pack(">HHQB", *NACK, tag, 2))


class Delivery(msgspec.Struct, frozen=True):
    """A message as it came."""

    consumer: str
    tag: int
    redelivered: bool
    properties: Properties
    body: bytes


def read_short(data: bytes, at: int) -> tuple[str, int]:
    end = at + 1 + data[at]
    return data[at + 1 : end].decode("utf-8", "replace"), end


def read_deliver(method: bytes) -> tuple[str, int, bool]:
    """Read consumer tag, delivery tag and whether it was delivered before."""
    consumer, at = read_short(method, 4)
    tag: int = struct.unpack_from(">Q", method, at)[0]
    return consumer, tag, bool(method[at + 8] & 1)


def read_confirm(method: bytes) -> tuple[int, bool]:
    """Read the tag of a confirmation, and whether it speaks for all before, too."""
    tag, bits = struct.unpack_from(">QB", method, 4)
    return tag, bool(bits & 1)


def read_return(method: bytes) -> str:
    """Read why a message came back."""
    return read_short(method, 6)[0]


def read_headers(table: bytes) -> dict[str, object]:
    """Read a table of headers; nothing when it is none."""
    try:
        found, _ = loads("F", struct.pack(">I", len(table)) + table, 0)
    except Exception:  # whatever the library meets in what a stranger wrote: there are no headers then
        return {}
    return dict(found[0]) if found and isinstance(found[0], dict) else {}


def read_header(head: bytes) -> tuple[int, Properties]:
    """Read the size of the body and the properties; ``ValueError`` for what is none."""
    try:
        _, _, size, flags = _CONTENT.unpack_from(head)
        at, texts, headers, mode = 14, [""] * 5, b"", TRANSIENT
        if flags & _F_CONTENT_TYPE:
            texts[0], at = read_short(head, at)
        if flags & _F_ENCODING:
            _, at = read_short(head, at)
        if flags & _F_HEADERS:
            length = struct.unpack_from(">I", head, at)[0]
            headers, at = head[at + 4 : at + 4 + length], at + 4 + length
        if flags & _F_DELIVERY:
            mode, at = head[at], at + 1
        if flags & _F_PRIORITY:
            at += 1
        for place, flag in enumerate((_F_CORRELATION, _F_REPLY_TO, _F_EXPIRATION, _F_MESSAGE_ID), 1):
            if flags & flag:
                texts[place], at = read_short(head, at)
    except (struct.error, IndexError) as error:
        raise ValueError(f"the header of a message: {error}") from error
    content_type, correlation_id, reply_to, expiration, message_id = texts
    return size, Properties(content_type, mode, correlation_id, reply_to, expiration, message_id, headers)
