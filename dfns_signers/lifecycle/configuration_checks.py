"""Checks of the configuration: where the profile is, what overrides it, which plugins it names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Final

from dfns_signers.backends.backend import Backend
from dfns_signers.backends.diagnosis import Finding
from dfns_signers.config.assembly import check_base_url
from dfns_signers.config.files import PROFILE_VARIABLE, default_path
from dfns_signers.config.loading import LoadedProfile, load_profile
from dfns_signers.config.profile import ENVIRONMENT
from dfns_signers.config.profile_guards import configured_policy, configured_trail, plugin_hooks
from dfns_signers.discovery import installed_plugins, load_backend
from dfns_signers.errors import AuditError
from dfns_signers.hooks import SigningHooks
from dfns_signers.lifecycle.checks import Findings, checked, failure, ok, warning

_SETUP: Final = "run: dfns-signers setup"
_RULES: Final = "correct the rule; list what is allowed with: dfns-signers policy check"
_TRAIL: Final = "have its file be written by this user, or name another one in 'audit'"
_PLUGINS: Final = "list what is installed with: dfns-signers backends"


def loaded_profile(
    profile: str | None, config: str | os.PathLike[str] | None
) -> Findings[LoadedProfile | None]:
    """The settings, and where they come from."""
    remedy = "correct it; 'dfns-signers setup' writes a new profile"
    found = yield from checked(
        "configuration", lambda: load_profile(profile, config=config), remedy
    )
    if found is None:
        return None
    loaded = found.value
    if not loaded.name and not loaded.origins:
        yield failure(
            "configuration",
            f"there is no configuration file ({default_path()}), and no DFNS_ variable is set",
            _SETUP,
        )
        return None
    yield ok("configuration", _found(loaded, profile))
    yield from _overridden(loaded)
    return loaded


def _found(loaded: LoadedProfile, profile: str | None) -> str:
    if not loaded.name:
        return f"no configuration file; {loaded.title}"
    chosen = "the file's default_profile"
    if PROFILE_VARIABLE in os.environ:
        chosen = f"named by {PROFILE_VARIABLE}"
    return f"{loaded.title} ({'named explicitly' if profile is not None else chosen})"


def _overridden(loaded: LoadedProfile) -> Iterator[Finding]:
    for setting in sorted(loaded.overridden):
        yield warning(
            "configuration",
            f"the environment variable {ENVIRONMENT[setting].variable} overrides {setting!r} of "
            f"the profile {loaded.name!r}",
            f"unset it, or name the profile, which then comes first: --profile {loaded.name}",
        )


def base_url(loaded: LoadedProfile) -> Findings[bool]:
    """The settings that matter with where each comes from; whether the base URL can be used."""
    found = yield from checked(
        "settings", lambda: check_base_url(loaded), "correct 'base_url': see the configuration page"
    )
    if found is not None:
        yield ok("settings", ", ".join(_settings(loaded)))
    return found is not None


def _settings(loaded: LoadedProfile) -> Iterator[str]:
    settings = loaded.settings
    values = {
        "base_url": settings.base_url,
        "credential_id": settings.credential_id,
        "auth_token": settings.auth_token and f"from {settings.auth_token.origin}",
        "signer": loaded.signer and loaded.signer.backend,
    }
    for name, value in values.items():
        if value is None:
            yield f"no {name}"
        else:
            yield f"{name} {value} ({loaded.origin(name).short})"


def backend(loaded: LoadedProfile) -> Findings[Backend[Any] | None]:
    """The plugin of the ``[signer]`` table, imported."""
    table = loaded.signer
    if table is None:
        yield failure(
            "plugin",
            f"{loaded.title}: there is no [signer] table, and so no key",
            "write one with 'dfns-signers setup', or 'dfns-signers keys create --write'",
        )
        return None

    def load() -> Backend[Any]:
        with loaded.placing("signer", "signer.backend"):
            return load_backend(table.backend)

    found = yield from checked("plugin", load, _PLUGINS)
    if found is None:
        return None
    yield ok("plugin", _described(table.backend), found.seconds)
    return found.value


def hooks(loaded: LoadedProfile) -> Findings[SigningHooks | None]:
    """The guards and observers, imported."""
    found = yield from checked("plugin", lambda: plugin_hooks(loaded), _PLUGINS)
    if found is None:
        return None
    for name in loaded.settings.plugins:
        yield ok("plugin", _described(name))
    return found.value


def rules(loaded: LoadedProfile) -> Findings[None]:
    """The rules, made ready; no call is judged or counted."""
    found = yield from checked("rules", lambda: configured_policy(loaded), _RULES)
    if found is None or found.value is None:
        return
    count = len(found.value.matchers)
    said = "1 rule" if count == 1 else f"{count} rules"
    if found.value.read_only:
        said += ", read-only: nothing is signed"
    yield ok("rules", said, found.seconds)


def audit_trail(loaded: LoadedProfile) -> Findings[None]:
    """Whether the audit trail can be written; nothing is."""
    audit, trail = loaded.settings.audit, configured_trail(loaded)
    if audit is None or trail is None:
        return
    try:
        trail.check()
    except AuditError as error:
        if audit.on_failure == "refuse":
            yield failure("audit trail", f"{error}. Until then nothing is signed", _TRAIL)
        else:
            yield warning("audit trail", f"{error}. Until then nothing is recorded", _TRAIL)
    else:
        yield ok("audit trail", str(audit.file))


def _described(name: str) -> str:
    info = next(info for info in installed_plugins() if info.name == name)
    return f"{name} of {info.distribution} {info.version} ({info.target})"
