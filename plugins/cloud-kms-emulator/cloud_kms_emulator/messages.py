"""Records of the store as Google's messages."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from google.cloud import kms_v1

from cloud_kms_emulator.store import CryptoKeyRecord, KeyRing, State, Version


def time_of(seconds: float) -> datetime:
    """Seconds since the epoch as the clients show times."""
    return datetime.fromtimestamp(seconds, tz=timezone.utc)


def key_ring(record: KeyRing) -> kms_v1.KeyRing:
    """A key ring."""
    return kms_v1.KeyRing(name=record.name, create_time=time_of(record.created))


def crypto_key(record: CryptoKeyRecord) -> kms_v1.CryptoKey:
    """A crypto key; keys that sign have no primary version."""
    return kms_v1.CryptoKey(
        name=record.name,
        purpose=record.purpose,
        create_time=time_of(record.created),
        version_template=kms_v1.CryptoKeyVersionTemplate(
            algorithm=record.algorithm, protection_level=record.level
        ),
        labels=dict(record.labels),
        destroy_scheduled_duration=timedelta(seconds=record.destroy_after),
    )


def version(record: Version) -> kms_v1.CryptoKeyVersion:
    """A version, with the times that belong to its state."""
    times = {"create_time": time_of(record.created)}
    if record.state is not State.PENDING_GENERATION:
        times["generate_time"] = time_of(record.generated)
    if record.state is State.DESTROY_SCHEDULED:
        times["destroy_time"] = time_of(record.destroyed)
    if record.state is State.DESTROYED:
        times["destroy_event_time"] = time_of(record.destroyed)
    return kms_v1.CryptoKeyVersion(
        name=record.name,
        state=record.state.name,
        algorithm=record.key.algorithm,
        protection_level=record.key.level,
        **times,
    )
