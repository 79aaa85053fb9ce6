"""The signer that a profile in a file names at the moment."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from dfns_signers import deadlines, forks, worker_threads
from dfns_signers.closing import release_logged
from dfns_signers.config.assembly import configured_signer
from dfns_signers.config.loading import LoadedProfile, load_profile
from dfns_signers.errors import (
    ConfigurationError,
    DfnsSignersError,
)
from dfns_signers.sealed import Sealed
from dfns_signers.signer import KeySigner

if TYPE_CHECKING:
    from concurrent.futures import Future

LOOK_INTERVAL: Final = 1.0
"""Seconds from one look at the file to the next."""

PATIENCE: Final = 10.0
"""Seconds that calls wait for a new signer to open its key; then they sign with the old one."""

_log: Final = logging.getLogger(__name__)


class InUse:
    """A signer that calls sign with; it is closed once nothing refers to this any more."""

    def __init__(self, signer: KeySigner, loaded: LoadedProfile) -> None:
        self.signer = signer
        self.settings = _settings_of(loaded)
        finalizer = weakref.finalize(self, worker_threads.unwaited, release_logged, signer.close)
        finalizer.atexit = False


Begun: TypeAlias = "tuple[InUse, Future[None] | None]"
"""What a call began with, and the reload that was under way then."""


_State: TypeAlias = tuple[int, ...]
"""Of a file; empty for none that was seen."""


class FollowedProfile:
    """A profile and the signer that it names; see ``ReloadingSigner``."""

    def __init__(
        self, loaded: LoadedProfile, profile: str | None, settings: Sealed[dict[str, Any]]
    ) -> None:
        if loaded.file is None:
            raise ConfigurationError(
                "'reload' needs a configuration file: the signer comes from the environment or "
                "arguments, which do not change"
            )
        self.in_use = InUse(configured_signer(loaded), loaded)
        self._asked = profile
        self._given = settings
        self._first = loaded
        self._file = loaded.file
        self._everyone = weakref.WeakSet([self.in_use])
        # States of the file: when it was last taken or refused, and when its key was out of reach.
        self._seen: _State = ()
        self._put_off: _State = ()
        self._is_closed = False
        self.after_fork()
        forks.watch(self)

    def after_fork(self) -> None:
        """Leave a reload of the parent to the parent."""
        # Re-entrant, for the handler of a signal may sign, too.
        self._lock = threading.RLock()
        self._threads = worker_threads.WorkerThreads(1)
        self._reload: Future[None] | None = None
        self._next_look = self._given_up = 0.0

    def begin(self, *, at_once: bool = False) -> Begun:
        """What a call signs with that begins now; looks at the file ``at_once``, or in its time."""
        if at_once:
            self._next_look = 0.0
        if time.monotonic() >= self._next_look:
            self._look()
        # In this order: a reload that ends in between has its signer in use.
        reload = self._reload
        return self.in_use, reload

    def settled(self, begun: Begun) -> InUse:
        """What a call signs with, once the reload that it began in has ended."""
        in_use, reload = begun
        if reload is None:
            return in_use
        from concurrent.futures import wait  # noqa: PLC0415

        wait([reload], self._patience())
        return self.in_use

    async def asettled(self, begun: Begun) -> InUse:
        """Like ``settled``, without blocking the event loop."""
        in_use, reload = begun
        if reload is None:
            return in_use
        import anyio  # noqa: PLC0415

        with anyio.move_on_after(self._patience()):
            await worker_threads.finished(reload)
        return self.in_use

    def _patience(self) -> float:
        """Seconds to wait for a reload; half the time of the call is left for its signature."""
        left = max(0.0, self._given_up - time.monotonic())
        remaining = deadlines.remaining()
        return left if remaining is None else min(left, remaining / 2)

    def _look(self) -> None:
        """Begin a reload if the file is not what was loaded."""
        with self._lock:
            now = time.monotonic()
            if now < self._next_look or self._reload is not None or self._is_closed:
                return
            self._next_look = now + LOOK_INTERVAL
            state = _state_of(self._file)
            if state == self._seen:
                return
            # No call waits for another try.
            self._given_up = now if state == self._put_off else now + PATIENCE
            with suppress(DfnsSignersError):  # no thread, as at the end of the process
                self._reload = self._threads.submit(self._follow, state)

    def _follow(self, state: _State) -> None:
        """Take what the file says; runs in a worker thread, one at a time."""
        fresh, problem, may_pass = None, "loading it was interrupted", False
        try:
            with deadlines.lifted():
                fresh, problem = self._opened(), ""
        except DfnsSignersError as error:
            problem, may_pass = str(error), error.retriable
        except Exception as error:  # noqa: BLE001  # without its text, which may repeat a secret
            problem = f"loading it failed with {type(error).__name__}"
        finally:
            if problem and state != self._put_off:
                self._warn(problem, may_pass=may_pass)
            self._settle(state, fresh, may_pass=may_pass)

    def _opened(self) -> InUse | None:
        """The signer of the file with its key open; None if it is the one in use."""
        loaded = load_profile(self._asked, config=self._file, **self._given.open())
        self._require_same_place(loaded)
        if _settings_of(loaded).open() == self.in_use.settings.open():
            return None
        fresh = InUse(configured_signer(loaded), loaded)
        _ = fresh.signer.key
        return fresh

    def _require_same_place(self, loaded: LoadedProfile) -> None:
        if loaded.name != self._first.name:
            raise ConfigurationError(f"the default profile is {loaded.name!r}")
        if loaded.settings.base_url != self._first.settings.base_url:
            raise ConfigurationError(
                f"its 'base_url' is {loaded.settings.base_url}, and calls go to "
                f"{self._first.settings.base_url}"
            )

    def _settle(self, state: _State, fresh: InUse | None, *, may_pass: bool) -> None:
        with self._lock:
            self._reload = None
            if may_pass:
                self._put_off = state
            else:
                self._seen = state
            if fresh is not None and not self._is_closed:
                self._everyone.add(fresh)
                self.in_use = fresh

    def _warn(self, problem: str, *, may_pass: bool) -> None:
        _log.warning(
            "the configuration file %s was changed, and calls go on signing with credential %s: "
            "%s. %s",
            self._file,
            self.in_use.signer.credential_id,
            problem,
            "It is tried again" if may_pass else "Correct the file, or restart the program",
        )

    def close(self) -> None:
        """Close every signer that a call may still have, and reload no more."""
        with self._lock:
            self._is_closed = True
            everyone = list(self._everyone)
        for in_use in everyone:
            in_use.signer.close()


def _settings_of(loaded: LoadedProfile) -> Sealed[tuple[Any, ...]]:
    """What makes a signer another one; secrets in files and variables are not read."""
    table, settings = loaded.signer, loaded.settings
    options = Sealed(table.options.open() if table else None)
    backend = table.backend if table else None
    guards = (settings.plugins, settings.read_only, settings.allow, settings.audit)
    return Sealed((backend, options.open(), settings.credential_id, *guards))


def _state_of(path: Path) -> _State:
    """Changes with the file, or with a link on the way to it; the same wherever there is none."""
    try:
        status = path.stat()
    except OSError:
        return (0,)
    return (
        *(status.st_dev, status.st_ino, status.st_size),
        *(status.st_mtime_ns, status.st_ctime_ns),
    )
