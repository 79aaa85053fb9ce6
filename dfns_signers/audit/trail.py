"""The file of the audit trail: records are appended, each with the hash of the one before."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import socket
import threading
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final, NamedTuple

from dfns_signers import forks
from dfns_signers.audit.continuation import continuation
from dfns_signers.audit.failures import reason_and_remedy
from dfns_signers.audit.head_file import HeadFile, Left, file_locks
from dfns_signers.audit.opening import check_private, is_at, open_private
from dfns_signers.audit.records import NO_RECORD, Head, line_after
from dfns_signers.errors import AuditError
from dfns_signers.private_files import sync_folder

LOGGER: Final = "dfns_signers.audit"
_log: Final = logging.getLogger(LOGGER)


class _Position(NamedTuple):
    """Where the next record goes.

    Attributes:
        descriptor: of the open file.
        head: what it follows.
        prefix: what comes before its line.
    """

    descriptor: int
    head: Head
    prefix: bytes = b""


class AuditTrail:
    """Appends records to a file that several threads and processes may share.

    Beside it, ``FILE.head`` says where the chain ends. Its writers lock that file, so that the
    trail itself may be rotated by renaming it.

    Args:
        file: made if it is not there, for its owner alone.
        head_interval: seconds between two lines in the log with the head of the chain.
        patience: seconds to wait for another process that is writing.
    """

    def __init__(self, file: Path, *, head_interval: float = 60.0, patience: float = 10.0) -> None:
        self.file = file
        self._interval = head_interval
        self._head_file = HeadFile(file, patience)
        self._descriptor: int | None = None
        self._forget()
        forks.watch(self)

    def _forget(self) -> None:
        # Re-entrant, so that a signal handler in the midst of a record is refused, and not stuck.
        self._lock = threading.RLock()
        self._is_writing = False
        self._head = self._head_said = NO_RECORD
        self._timer: threading.Timer | None = None
        self._writer = f"{socket.gethostname()}/{os.getpid()}/{os.urandom(4).hex()}"

    def after_fork(self) -> None:
        """Open the files anew in a forked child: a lock belongs to the parent's."""
        self._close_files()
        self._forget()

    def append(self, event: str, *, call_id: str | None, **members: Any) -> None:
        """Write one record.

        That a call is allowed is on the disk when this returns (fsync); any other record is with
        the operating system.

        Args:
            event: ``decided``, ``signed``, ``failed`` or ``answered``.
            call_id: what the records of one attempt at a call have in common.
            **members: JSON values; None is left out. Never a token, body, signature or challenge.

        Raises:
            AuditError: it cannot be written.
        """
        is_durable = event == "decided" and members.get("outcome") == "allowed"
        with self._writing():
            self._write(self._position(), event, call_id, members, is_durable=is_durable)
        self._say_head_later()

    def open(self) -> None:
        """See that records can be written, and say the head of the chain to the log.

        Raises:
            AuditError: they cannot.
        """
        with self._writing():
            self._head = self._position().head
        self._head_said = NO_RECORD
        self._say_head()

    def check(self) -> None:
        """See that the files could be opened to be written, and leave them as they are.

        Raises:
            AuditError: they could not.
        """
        with self._explaining():
            file_locks()
            for path in (self.file, self._head_file.path):
                check_private(path)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Keep other threads and processes out; what goes wrong becomes an AuditError."""
        with self._explaining(), self._lock:
            if self._is_writing:
                raise AuditError("a signal handler interrupted the writing of a record")
            self._is_writing = True
            try:
                with self._head_file.locked():
                    yield
            finally:
                self._is_writing = False

    @contextlib.contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError, TypeError) as error:
            reason = reason_and_remedy(error, self.file) if isinstance(error, OSError) else error
            raise AuditError(f"the audit trail {self.file} cannot be written: {reason}") from error

    def _position(self) -> _Position:
        descriptor = self._opened()
        found = continuation(self.file, descriptor, self._head_file.read())
        position = _Position(descriptor, found.head, found.prefix)
        if found.event is None:
            return position
        self._write(position, found.event, None, found.members, is_durable=True)
        if found.event != "started":
            _log_disturbance(self.file, found.event, found.members)
        return _Position(descriptor, self._head)

    def _opened(self) -> int:
        """The descriptor of the file that is at the path of the trail."""
        if self._descriptor is None or not is_at(self.file, self._descriptor):
            # Before the former one is closed, whose inode number the new one would have otherwise.
            fresh = open_private(self.file, os.O_RDWR | os.O_APPEND)
            former, self._descriptor = self._descriptor, fresh
            if former is not None:
                os.close(former)
            sync_folder(self.file.parent)
        return self._descriptor

    def _write(
        self,
        position: _Position,
        event: str,
        call_id: str | None,
        members: Mapping[str, Any],
        *,
        is_durable: bool,
    ) -> None:
        descriptor, head, prefix = position
        stamp = {"time": _now(), "event": event, "call": call_id, "writer": self._writer}
        line, new_head = line_after(head, {**stamp, **members})
        before = os.fstat(descriptor)
        try:
            _write_all(descriptor, prefix + line)
            if is_durable:
                os.fsync(descriptor)
        except BaseException:  # Ctrl-C, too
            # A full disk leaves part of a line.
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, before.st_size)
            raise
        size = before.st_size + len(prefix) + len(line)
        self._head_file.write(Left(*new_head, size, before.st_ino, before.st_dev))
        self._head = new_head

    def _say_head_later(self) -> None:
        with self._lock:
            if self._timer is None:
                timer = threading.Timer(self._interval, self._say_head)
                timer.daemon = True
                with contextlib.suppress(RuntimeError):  # no thread to be had; close says it
                    timer.start()
                    self._timer = timer

    def _say_head(self) -> None:
        """Say to the log where the chain ends, so that a truncated trail is found."""
        with self._lock:
            self._timer, head = None, self._head
            is_new, self._head_said = head != self._head_said, head
        if is_new:
            _log.info("audit trail %s: head %s at sequence %d", self.file, head.hash, head.sequence)

    def close(self) -> None:
        """Say the head of the chain to the log, and close the file; a record opens it again."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._say_head()
            self._close_files()

    def _close_files(self) -> None:
        self._head_file.close()
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.file}>"


_trails: Final[dict[str, AuditTrail]] = {}


def shared_trail(file: Path) -> AuditTrail:
    """The trail of a file, the same one for everybody in this process; closed at its end."""
    return _trails.setdefault(os.path.realpath(file), AuditTrail(file))


@atexit.register
def _close_all() -> None:
    for trail in _trails.values():
        trail.close()


def _log_disturbance(file: Path, event: str, members: Mapping[str, Any]) -> None:
    if event == "rotated" and members.get("former"):
        _log.info("audit trail %s: goes on in a new file after %s", file, members["former"])
    elif event == "rotated":
        _log.warning(
            "audit trail %s: goes on in a new file, and the former one is not beside it: if it was "
            "not rotated, it was deleted",
            file,
        )
    elif event == "recovered":
        _log.warning(
            "audit trail %s: goes on after %d bytes that are not a record, as a writer leaves that "
            "was killed",
            file,
            members["bytes"],
        )
    else:
        _log.error(
            "audit trail %s: it was cut from %d to %d bytes, or replaced, after record %d; rotate "
            "it by renaming it, without 'copytruncate'",
            file,
            members["bytesBefore"],
            members["bytesLeft"],
            members["lastSequence"],
        )


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def _now() -> str:
    now = datetime.now(timezone.utc)
    return f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z"
