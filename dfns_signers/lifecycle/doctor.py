"""Examine a profile link by link: from the file that it is in to the credential in Dfns."""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

from dfns_signers import private_files, worker_threads
from dfns_signers.backends.diagnosis import DiagnosesKeys, Finding, Policy, Severity
from dfns_signers.config.assembly import validated_options
from dfns_signers.config.loading import LoadedProfile, load_profile
from dfns_signers.discovery import load_backend
from dfns_signers.lifecycle import api_checks, configuration_checks, credential_checks, key_checks
from dfns_signers.lifecycle.checks import Findings, not_examined
from dfns_signers.lifecycle.credential_checks import Configured
from dfns_signers.lifecycle.token_checks import readable_token

if TYPE_CHECKING:
    from dfns_signers.client.client import DfnsClient
    from dfns_signers.hooks import SigningHooks
    from dfns_signers.signing_key import SigningKey

_OF_THE_KEY = ("signer options", "key", "signature")
_OF_THE_TOKEN = ("authentication", "credential", "user action")
_OF_THE_API = ("Dfns", "clock", *_OF_THE_TOKEN)


def examine(
    profile: str | None = None, *, config: str | os.PathLike[str] | None = None
) -> Iterator[Finding]:
    """Examine a profile, also one that is not complete yet.

    Nothing is changed: no user action is signed, and no call with an effect is sent. What an
    earlier failure makes impossible is a warning that says so.

    Args:
        profile: its name; else as for ``load_signer``.
        config: the configuration file; else as for ``load_signer``.

    Yields:
        The findings, each as soon as it is there. Their checks, in this order: ``configuration``,
        ``settings``, ``plugin``, ``signer options``, what the backend finds, ``key``,
        ``signature``, ``rules``, ``audit trail``, ``token``, ``Dfns``, ``clock``,
        ``authentication``, ``credential``, ``user action``, ``guards``. A check may have several.
        No finding has a secret in it.
    """
    private_files.warn_again()
    loaded = yield from configuration_checks.loaded_profile(profile, config)
    if loaded is None:
        later = ("settings", "plugin", *_OF_THE_KEY, "token", *_OF_THE_API)
        yield from not_examined("the configuration cannot be used", *later)
        return
    with ExitStack() as stack:
        yield from _examined(loaded, stack)


def _examined(loaded: LoadedProfile, stack: ExitStack) -> Findings[None]:
    has_address = yield from configuration_checks.base_url(loaded)
    key = yield from _key(loaded, stack)
    hooks = yield from configuration_checks.hooks(loaded)
    yield from configuration_checks.rules(loaded)
    yield from configuration_checks.audit_trail(loaded)
    token = yield from readable_token(loaded)
    if not has_address:
        yield from not_examined("the base URL cannot be used", *_OF_THE_API)
        return
    reached = yield from api_checks.reached(loaded, stack)
    if reached is None:
        yield from not_examined("Dfns was not reached", *_OF_THE_TOKEN)
        return
    if token is None:
        yield from not_examined("there is no token to be used", *_OF_THE_TOKEN)
        return
    dfns = yield from api_checks.client(loaded, reached.http, stack)
    if dfns is None:
        yield from not_examined("there is no client", "credential", "user action")
    elif reached.is_gateway:
        yield from api_checks.known_caller(dfns, loaded.settings.call_timeout)
    else:
        yield from _credential(loaded, dfns, key, hooks)


def _key(loaded: LoadedProfile, stack: ExitStack) -> Findings[SigningKey | None]:
    backend = yield from configuration_checks.backend(loaded)
    if backend is None:
        yield from not_examined("there is no backend", *_OF_THE_KEY)
        return None
    return (yield from key_checks.opened_key(loaded, backend, stack))


def _credential(
    loaded: LoadedProfile, dfns: DfnsClient, key: SigningKey | None, hooks: SigningHooks | None
) -> Findings[None]:
    listed = yield from api_checks.listed_credentials(dfns, loaded.settings.call_timeout)
    if listed is None:
        yield from not_examined("Dfns does not accept the token", "credential", "user action")
        return
    credential_id = loaded.settings.credential_id
    yield from credential_checks.examine_credential(Configured(credential_id, key, listed.value))
    challenge = yield from credential_checks.announced(dfns)
    if challenge is None:
        return
    yield from credential_checks.examine_challenge(challenge, credential_id)
    if hooks and key and credential_id:
        yield from credential_checks.examine_guards(hooks, challenge.value, credential_id, key)


async def aexamine(
    profile: str | None = None, *, config: str | os.PathLike[str] | None = None
) -> AsyncIterator[Finding]:
    """Like ``examine``, without blocking the event loop; under asyncio and trio.

    A caller that is cancelled leaves the check that is under way to its thread.
    """
    findings = examine(profile, config=config)
    lock = threading.Lock()

    def next_finding() -> Finding | None:
        with lock:
            return next(findings, None)

    def close() -> None:
        with lock:
            findings.close()  # type: ignore[attr-defined]  # of a generator

    try:
        while (finding := await worker_threads.run(next_finding)) is not None:
            yield finding
    finally:
        await worker_threads.to_the_end(close)


def worst(findings: Iterable[Finding]) -> Severity:
    """The worst severity; OK if there are no findings."""
    return max((finding.severity for finding in findings), default=Severity.OK)


def least_policy(
    profile: str | None = None, *, config: str | os.PathLike[str] | None = None
) -> Policy | None:
    """The smallest policy for opening the key of a profile and signing with it.

    Args:
        profile: its name; else as for ``load_signer``.
        config: the configuration file; else as for ``load_signer``.

    Returns:
        The policy in the form of the key store; None where the backend has none.

    Raises:
        ConfigurationError: a setting is missing or wrong.
        PluginError: the backend cannot be loaded.
    """
    loaded = load_profile(profile, config=config)
    backend = load_backend(loaded.signer.backend) if loaded.signer else None
    if not isinstance(backend, DiagnosesKeys):
        return None
    return backend.policy(validated_options(loaded))
