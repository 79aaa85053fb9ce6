"""What watches a running gateway: health, metrics, logs, records."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from dfns_signers.audit.trail import AuditTrail
from dfns_signers.config.guard import Recorder
from dfns_signers.config.loading import LoadedProfile
from dfns_signers.config.profile_guards import configured_trail
from dfns_signers.gateway.configuration.settings import GatewaySettings
from dfns_signers.gateway.operation.auditing import AuditObserver, PeerRecorder
from dfns_signers.gateway.operation.health import Health, require_token, require_writable
from dfns_signers.gateway.operation.logs import RequestLog
from dfns_signers.gateway.operation.metrics import UNKNOWN, Metrics
from dfns_signers.gateway.requests.observing import Observer, Observers


@dataclass(frozen=True, slots=True)
class Instruments:
    """The instruments of one gateway.

    Attributes:
        observer: sees each request.
        recorder: what the guard writes into; None without an audit trail.
    """

    health: Health
    metrics: Metrics
    observer: Observer
    recorder: Recorder | None
    _audit: AuditObserver | None
    _trail: AuditTrail | None

    def close(self) -> None:
        """Wait for records that are not written yet, and say the head of the trail to the log."""
        if self._audit is not None and self._trail is not None:
            self._audit.close()
            self._trail.close()


def new_instruments(settings: GatewaySettings, profile: LoadedProfile) -> Instruments:
    """The instruments for a configuration."""
    signing, token = profile.settings.signer, profile.settings.auth_token
    metrics = Metrics(signing.backend if signing else UNKNOWN, token)
    trail = configured_trail(profile)
    recorder = audit = None
    checks = {}
    if token is not None:
        checks["token"] = partial(require_token, token)
    if trail is not None:
        checks["audit trail"] = partial(require_writable, trail.file)
        failed = metrics.audit_failures.inc
        recorder = PeerRecorder(trail, failed)
        audit = AuditObserver(recorder, reads=settings.audit_reads, failed=failed)
    observers: list[Observer] = [metrics, RequestLog()]
    if audit is not None:
        observers.append(audit)
    return Instruments(Health(checks=checks), metrics, Observers(observers), recorder, audit, trail)
