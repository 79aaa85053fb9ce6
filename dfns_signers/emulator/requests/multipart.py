"""Requests in parts: ``data``, a JSON object, and ``file``, whose checksum the object has."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, Final

from dfns_signers.emulator.requests.messages import Incoming, bad_request, quoted

_CHECKSUM: Final = "fileChecksum"
_PARTS: Final = ("data", "file")


class Upload:
    """A request in parts; one without a body has none.

    Attributes:
        request: the same with the JSON of ``data`` as its body, which is what user actions
            announce (official SDKs).
    """

    def __init__(self, request: Incoming) -> None:
        parts = _parts(request) if request.body else {}
        self._file = parts.get("file", b"")
        self._missing = [name for name in _PARTS if name not in parts]
        headers = [pair for pair in request.headers if pair[0] != "content-type"]
        self.request = replace(
            request,
            headers=(*headers, ("content-type", "application/json")),
            body=parts.get("data", b""),
        )

    def without_checksum(self, data: Any) -> Any:
        """The members of ``data`` besides ``fileChecksum``.

        Refused with 400 when a part is missing, or the checksum is that of another file.
        """
        if self._missing:
            raise bad_request(
                "body.parts",
                'The body must have the parts "data" and "file", and it has no '
                f"{quoted(self._missing[0])}.",
                field=self._missing[0],
            )
        expected = hashlib.sha256(self._file).hexdigest()
        found = data.get(_CHECKSUM) if isinstance(data, dict) else None
        if found != expected:
            written = quoted(found) if isinstance(found, str) else "missing"
            raise bad_request(
                "body.checksum",
                f'{_CHECKSUM} must be the SHA-256 of the part "file" in lower-case hexadecimal,'
                f" {expected}, and is {written}.",
                field=_CHECKSUM,
                expected=expected,
            )
        return {name: value for name, value in data.items() if name != _CHECKSUM}


def _parts(request: Incoming) -> Mapping[str, bytes]:
    """The contents of the parts by their names."""
    declared = ", ".join(request.header("content-type"))
    header = f"Content-Type: {declared}\r\n\r\n".encode("utf-8", "surrogateescape")
    message = BytesParser(EmailMessage, policy=HTTP).parsebytes(header + request.body)
    if message.get_content_type() != "multipart/form-data" or not message.is_multipart():
        raise bad_request(
            "body.type",
            f"Content-Type must be multipart/form-data for this body, and is {quoted(declared)}.",
        )
    parts = {}
    for part in message.iter_parts():
        content = part.get_payload(decode=True)
        name = part.get_param("name", header="content-disposition")
        parts[str(name)] = content if isinstance(content, bytes) else b""
    return parts
