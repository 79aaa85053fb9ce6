"""What a profile says of guards: its plugins, its rules and its audit trail, made ready."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dfns_signers.config.loading import LoadedProfile
from dfns_signers.config.profile_rates import rate_counter_of
from dfns_signers.discovery import load_plugins
from dfns_signers.hooks import SigningHooks, SigningRequest

if TYPE_CHECKING:
    from dfns_signers.audit.trail import AuditTrail
    from dfns_signers.config.guard import Guard, Judge, JudgesOf, Recorder
    from dfns_signers.policy.policy import Policy


def configured_hooks(
    loaded: LoadedProfile, guard: Guard | None = None, observers: Iterable[object] = ()
) -> SigningHooks:
    """The guards and observers of a profile: its plugins, and then its rules and audit trail.

    Args:
        loaded: the profile.
        guard: takes the place of that of the profile.
        observers: further objects with hooks.
    """
    guard = guard or configured_guard(loaded)
    others: list[tuple[str | None, object]] = [(None, observer) for observer in observers]
    if guard is not None:
        from dfns_signers.config.guard import NAME  # noqa: PLC0415  # it imports pluggy

        others.append((NAME, guard))
    return plugin_hooks(loaded, others)


def plugin_hooks(
    loaded: LoadedProfile, others: Iterable[tuple[str | None, object]] = ()
) -> SigningHooks:
    """The plugins of a profile, without its rules and audit trail, and other objects with hooks."""
    with loaded.placing("plugins"):
        return SigningHooks([*load_plugins(loaded.settings.plugins), *others])


def configured_policy(loaded: LoadedProfile) -> Policy | None:
    """The rules of a profile; None where it has none, and may sign."""
    settings = loaded.settings
    if not (settings.allow or settings.read_only):
        return None
    from dfns_signers.policy.policy import Policy  # noqa: PLC0415  # most profiles have no rules

    count = rate_counter_of(loaded)
    with loaded.placing("allow"):
        return Policy(
            settings.allow,
            title=f"the profile {loaded.name!r}" if loaded.name else "the configuration",
            read_only=settings.read_only,
            signed_only=True,
            count=count,
        )


def configured_trail(loaded: LoadedProfile) -> AuditTrail | None:
    """The audit trail of a profile; None where it has none."""
    audit = loaded.settings.audit
    if audit is None:
        return None
    from dfns_signers.audit.trail import shared_trail  # noqa: PLC0415  # most profiles have none

    return shared_trail(audit.file)


def open_trail(loaded: LoadedProfile) -> None:
    """See that the audit trail of a profile can be written, where its calls are refused otherwise.

    Raises:
        AuditError: it cannot.
    """
    audit, trail = loaded.settings.audit, configured_trail(loaded)
    if audit is not None and trail is not None and audit.on_failure == "refuse":
        with loaded.placing("audit", "audit.file"):
            trail.open()


def configured_guard(
    loaded: LoadedProfile, more: JudgesOf | None = None, recorder: Recorder | None = None
) -> Guard | None:
    """What judges and records the calls of a profile; None where there is nothing to do.

    Args:
        loaded: the profile.
        more: what must allow a call besides the rules of the profile.
        recorder: in place of the audit trail of the profile.
    """
    policy, trail = configured_policy(loaded), recorder or configured_trail(loaded)
    if policy is None and trail is None and more is None:
        return None
    from dfns_signers.config.guard import Guard  # noqa: PLC0415  # it imports pluggy

    audit = loaded.settings.audit
    signs_unrecorded = audit is not None and audit.on_failure == "sign"

    def judges_of(request: SigningRequest) -> dict[str, Judge]:
        asked = dict(more(request)) if more else {}
        return {**asked, ("profileRule" if more else "rule"): policy.admit} if policy else asked

    return Guard(
        judges_of,
        trail,
        signs_unrecorded=signs_unrecorded,
        judges_may_block=policy is not None,  # its rates may be counted in a store
    )
