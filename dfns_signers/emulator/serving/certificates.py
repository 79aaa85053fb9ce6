"""A certificate authority of one emulator, for clients that refuse http."""

from __future__ import annotations

import datetime
import ssl
import tempfile
from pathlib import Path
from typing import Final

import trustme

_NAMES: Final = ("localhost", "127.0.0.1", "::1")
_DAY: Final = datetime.timedelta(days=1)
# Apple's platforms refuse certificates of servers that are valid for longer.
_VALIDITY: Final = 397 * _DAY


class LocalAuthority:
    """An authority whose private key is in memory only, and is gone when the process ends.

    Its certificate is in a file for clients to trust, in a folder that only the user can read.
    """

    def __init__(self) -> None:
        self._authority = trustme.CA(path_length=0, organization_name="dfns-signers emulator")
        self._folder = tempfile.TemporaryDirectory(prefix="dfns-emulator-")
        self.file = Path(self._folder.name, "ca.pem")
        self._authority.cert_pem.write_to_path(str(self.file))

    def server_context(self) -> ssl.SSLContext:
        """TLS with a certificate for this machine: localhost, 127.0.0.1 and ::1."""
        begin = datetime.datetime.now(datetime.timezone.utc) - _DAY
        certificate = self._authority.issue_cert(
            *_NAMES, not_before=begin, not_after=begin + _VALIDITY
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        return context

    def close(self) -> None:
        """Remove the file."""
        self._folder.cleanup()
