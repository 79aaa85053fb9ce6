"""What the emulator holds: key rings, crypto keys, and versions with their states."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, TypeVar

from cloud_kms_emulator.algorithms import ALGORITHMS
from cloud_kms_emulator.names import check_name, parent_of
from cloud_kms_emulator.refusals import already_exists, not_found, wrong_state

State = Enum(
    "State",
    "PENDING_GENERATION ENABLED DISABLED DESTROY_SCHEDULED DESTROYED GENERATION_FAILED",
)
"""State of a version, by the names of the API."""

DESTROY_AFTER: Final = 30 * 86_400.0
"""Seconds that a version stays scheduled for destruction, unless its key says otherwise."""

ResourceT = TypeVar("ResourceT", "KeyRing", "CryptoKeyRecord", "Version")


@dataclass(frozen=True, slots=True)
class KeyRing:
    """A key ring; times are seconds since the epoch."""

    name: str
    created: float


@dataclass(slots=True)
class CryptoKeyRecord:
    """A crypto key: what its versions have in common."""

    name: str
    algorithm: str
    level: str
    created: float
    labels: Mapping[str, str] = field(default_factory=dict)
    destroy_after: float = DESTROY_AFTER
    versions: int = 0

    @property
    def purpose(self) -> str:
        """What the key is for."""
        return ALGORITHMS[self.algorithm].purpose


@dataclass(slots=True)
class Version:
    """A version of a crypto key, with its private key."""

    name: str
    key: CryptoKeyRecord
    private_key: Any = field(repr=False)
    state: State
    created: float
    generated: float
    destroyed: float = 0.0

    def settle(self, now: float) -> None:
        """Enter the state that time has brought about."""
        if self.state is State.PENDING_GENERATION and now >= self.generated:
            self.state = State.ENABLED
        if self.state is State.DESTROY_SCHEDULED and now >= self.destroyed:
            self.state = State.DESTROYED

    def put(self, state: State, now: float) -> None:
        """Enter a state at once; a version that is being generated stays so."""
        self.state = state
        if state is State.PENDING_GENERATION:
            self.generated = math.inf
        elif self.generated > now:
            self.generated = now
        self.destroyed = now if state is State.DESTROYED else now + self.key.destroy_after

    def require(self, *states: State) -> None:
        """Refuse with FAILED_PRECONDITION unless the version is in one of these states."""
        if self.state not in states:
            expected = " or ".join(state.name.lower().replace("_", " ") for state in states)
            raise wrong_state(self.name, expected, self.state.name)


class Store:
    """All resources by name; safe to use from several threads.

    Args:
        clock: returns the time, in seconds since the epoch.
        generation_delay: seconds until a new version is enabled.
    """

    def __init__(self, clock: Callable[[], float], generation_delay: float) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self._generation_delay = generation_delay
        self._rings: dict[str, KeyRing] = {}
        self._keys: dict[str, CryptoKeyRecord] = {}
        self._versions: dict[str, Version] = {}

    def add_ring(self, name: str) -> KeyRing:
        """A new key ring."""
        with self.lock:
            return _add(self._rings, "KeyRing", KeyRing(name, self.clock()))

    def add_key(
        self,
        name: str,
        algorithm: str,
        level: str,
        *,
        labels: Mapping[str, str],
        destroy_after: float,
    ) -> CryptoKeyRecord:
        """A new crypto key without versions, in a key ring that exists."""
        with self.lock:
            self.ring(parent_of(name))
            key = CryptoKeyRecord(name, algorithm, level, self.clock(), labels, destroy_after)
            return _add(self._keys, "CryptoKey", key)

    def add_version(self, key_name: str, private_key: Any = None) -> Version:
        """A new version with the next number; generated unless a private key is given."""
        with self.lock:
            key = self.key(key_name)
        # Not under the lock: an RSA key takes a second.
        material = private_key or ALGORITHMS[key.algorithm].generate()
        with self.lock:
            key.versions += 1
            version = Version(
                name=f"{key.name}/cryptoKeyVersions/{key.versions}",
                key=key,
                private_key=material,
                state=State.PENDING_GENERATION,
                created=self.clock(),
                generated=self.clock() + self._generation_delay,
            )
            return _add(self._versions, "CryptoKeyVersion", version)

    def ensure_key(self, name: str, algorithm: str, level: str) -> None:
        """Add a crypto key, and its key ring, unless they are there."""
        with self.lock:
            if parent_of(name) not in self._rings:
                self.add_ring(parent_of(name))
            if name not in self._keys:
                self.add_key(name, algorithm, level, labels={}, destroy_after=DESTROY_AFTER)

    def ring(self, name: str) -> KeyRing:
        """The key ring of that name."""
        return _get(self._rings, "KeyRing", name)

    def key(self, name: str) -> CryptoKeyRecord:
        """The crypto key of that name."""
        return _get(self._keys, "CryptoKey", name)

    def version(self, name: str) -> Version:
        """The version of that name, in the state that it has by now."""
        with self.lock:
            version = _get(self._versions, "CryptoKeyVersion", name)
            version.settle(self.clock())
            return version

    def rings_in(self, location: str) -> list[KeyRing]:
        """The key rings of a location, by name."""
        return _children(self._rings.values(), check_name("location", location))

    def keys_in(self, ring: str) -> list[CryptoKeyRecord]:
        """The crypto keys of a key ring, by name."""
        return _children(self._keys.values(), self.ring(ring).name)

    def versions_of(self, key: str) -> list[Version]:
        """The versions of a crypto key, by number."""
        found = _children(self._versions.values(), self.key(key).name)
        by_number = sorted(found, key=lambda one: int(one.name.rsplit("/", 1)[1]))
        return [self.version(one.name) for one in by_number]


def _add(resources: dict[str, ResourceT], kind: str, new: ResourceT) -> ResourceT:
    if new.name in resources:
        raise already_exists(kind, new.name)
    resources[new.name] = new
    return new


def _get(resources: Mapping[str, ResourceT], kind: str, name: str) -> ResourceT:
    found = resources.get(check_name(kind, name))
    if found is None:
        raise not_found(kind, name)
    return found


def _children(resources: Iterable[ResourceT], parent: str) -> list[ResourceT]:
    children = [one for one in list(resources) if parent_of(one.name) == parent]
    return sorted(children, key=lambda one: one.name)
