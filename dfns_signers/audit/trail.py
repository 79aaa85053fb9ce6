"""The file of the audit trail: records are appended, each with the hash of the one before."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

from dfns_signers.errors import AuditError


class AuditTrail:
    """Appends records to a file that several threads and processes may share.

    Args:
        file: made if it is not there, for its owner alone.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lock = threading.RLock()

    def append(self, event: str, *, call_id: str, **members: Any) -> None:
        """Write one record, which is on the disk when this returns.

        Args:
            event: ``decided``, ``signed``, ``failed`` or ``answered``.
            call_id: what the records of one attempt at a call have in common.
            **members: JSON values; None is left out. Never a token, body, signature or challenge.

        Raises:
            AuditError: it cannot be written.
        """
        record = {"time": time.time(), "event": event, "call": call_id, **members}
        try:
            with self._lock, self.file.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(record) + "\n")
        except OSError as error:
            raise AuditError(f"the audit trail {self.file} cannot be written: {error}") from error

    def close(self) -> None:
        """Say the head of the chain to the log, and close the file."""
