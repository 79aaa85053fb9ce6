"""From settings to a signer: what the configuration chooses, assembled."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from copy import copy
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, create_model
from pydantic.fields import FieldInfo
from typing_extensions import Unpack

from dfns_signers.backends.backend import Backend
from dfns_signers.backends.options import BackendOptions
from dfns_signers.closing import release_logged
from dfns_signers.config.files import default_path
from dfns_signers.config.loading import DEFAULT, LoadedProfile, load_profile
from dfns_signers.config.profile import ENVIRONMENT, Settings, SignerTable
from dfns_signers.config.profile_rates import rate_counter_of, rate_limit_of
from dfns_signers.config.validation import validate
from dfns_signers.discovery import load_backend, load_plugins
from dfns_signers.errors import AuditError, ConfigurationError, DfnsSignersError, PluginError
from dfns_signers.hooks import SigningHooks
from dfns_signers.sealed import Sealed
from dfns_signers.signer import KeySigner
from dfns_signers.signing_key import SigningKey

if TYPE_CHECKING:
    from dfns_signers.audit.trail import AuditTrail
    from dfns_signers.config.guard import Guard, JudgesOf, Recorder
    from dfns_signers.policy.policy import Policy

_log: Final = logging.getLogger(__name__)


def load_signer(
    profile: str | None = None,
    *,
    config: str | os.PathLike[str] | None = None,
    reload: bool = False,
    **settings: Unpack[Settings],
) -> KeySigner:
    """Open the signer that the configuration chooses.

    Args:
        profile: name of the profile; else ``DFNS_PROFILE``, else the file's ``default_profile``.
        config: the configuration file; else ``DFNS_CONFIG``, else the default file if there is one.
        reload: whether to sign with what the file says later, too: the key and credential of the
            profile are taken anew when it changes.
        **settings: override settings of the profile: ``credential_id``, ``signer`` (a table as a
            mapping, or one line), ``plugins``.

    Raises:
        ConfigurationError: a setting is missing or wrong.
        PluginError: the backend cannot be loaded.
        SigningKeyError: the key cannot be opened.
        AuditError: the audit trail cannot be written, and calls are refused then.
    """
    overrides = Sealed(settings)
    del settings
    loaded = load_profile(profile, config=config, **overrides.open())
    signer = reloading_signer(loaded, profile, overrides) if reload else configured_signer(loaded)
    _ = signer.key  # opened now, so that a wrong one stops the program here
    try:
        open_trail(loaded)
    except AuditError:
        release_logged(signer.close)
        raise
    return signer


def reloading_signer(
    loaded: LoadedProfile, profile: str | None, overrides: Sealed[Any]
) -> KeySigner:
    """A signer that follows the configuration file; ``profile`` and ``overrides`` as were given."""
    from dfns_signers.config.reloading import ReloadingSigner  # noqa: PLC0415  # it imports this

    return ReloadingSigner(loaded, profile, overrides)


def validated_options(loaded: LoadedProfile, *, reveal: bool = False) -> BackendOptions:
    """The options of the ``[signer]`` table as its backend reads them; no key is opened.

    Args:
        loaded: the profile.
        reveal: whether a secret that cannot be read is refused.
    """
    return _validated_signer(loaded, reveal=reveal)[2]


def configured_hooks(
    loaded: LoadedProfile, guard: Guard | None = None, observers: Iterable[object] = ()
) -> SigningHooks:
    """The guards and observers of a profile: its plugins, and then its rules and audit trail.

    Args:
        loaded: the profile.
        guard: takes the place of that of the profile.
        observers: further objects with hooks.
    """
    with loaded.placing("plugins"):
        plugins = load_plugins(loaded.settings.plugins)
        guard = guard or configured_guard(loaded)
        others: list[tuple[str | None, object]] = [(None, observer) for observer in observers]
        if guard is not None:
            from dfns_signers.config.guard import NAME  # noqa: PLC0415  # it imports pluggy

            others.append((NAME, guard))
        return SigningHooks([*plugins, *others])


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
            title=_subject(loaded),
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
    own = [policy.admit] if policy else []
    judges: JudgesOf = (lambda request: [*more(request), *own]) if more else (lambda _request: own)
    return Guard(
        judges,
        trail,
        signs_unrecorded=signs_unrecorded,
        judges_may_block=policy is not None,  # its rates may be counted in a store
    )


def _subject(loaded: LoadedProfile) -> str:
    return f"the profile {loaded.name!r}" if loaded.name else "the configuration"


def open_key(loaded: LoadedProfile) -> SigningKey:
    """Open the key that the ``[signer]`` table names, and compare its fingerprint."""
    return open_with(*_validated_signer(loaded))


def configured_signer(
    loaded: LoadedProfile, guard: Guard | None = None, observers: Iterable[object] = ()
) -> KeySigner:
    """A signer that opens its key at the first signature; options are checked now.

    Args:
        loaded: the profile.
        guard: takes the place of that of the profile.
        observers: further objects with hooks.
    """
    name, backend, options = _validated_signer(loaded)
    credential_id: str = _required(
        loaded, "credential_id", "the 'credId' that the key is registered as"
    )

    def open_logged() -> SigningKey:
        key = open_with(name, backend, options)
        _log.info(
            "credential %s signs with %s key %s, fingerprint %s",
            credential_id,
            key.algorithm,
            key.reference,
            key.fingerprint,
        )
        return key

    hooks = configured_hooks(loaded, guard, observers)
    signer = KeySigner(open_logged, credential_id, plugins=hooks)
    signer.profile = loaded.name
    return signer


def client_arguments(loaded: LoadedProfile) -> dict[str, Any]:
    """Arguments of a client, besides its signer; a token is required, and must be readable."""
    token = _required(loaded, "auth_token", "the token of a service account or a user")
    check_base_url(loaded)
    from dfns_signers.user_action.tokens import checked_token  # noqa: PLC0415  # as for BaseUrl

    with loaded.placing("auth_token"):
        checked_token(Sealed(token.reveal()))
    limits = ("timeout", "call_timeout", "max_attempts", "max_retry_after", "keepalive_expiry")
    names = ("auth_token", "base_url", *limits)
    arguments = {name: getattr(loaded.settings, name) for name in names}
    return {**arguments, "rate_limit": rate_limit_of(loaded)}


def check_base_url(loaded: LoadedProfile) -> None:
    """Refuse a base URL that a client would refuse, naming where it was set.

    Warns of one that was set elsewhere than the token that goes there.
    """
    from dfns_signers.user_action.base_url import BaseUrl  # noqa: PLC0415  # it imports httpx

    with loaded.placing("base_url"):
        BaseUrl.parse(loaded.settings.base_url)
    _warn_of_mixture(loaded)


def _warn_of_mixture(loaded: LoadedProfile) -> None:
    """Say that a token goes to an address that was set elsewhere, unless an argument set it.

    A profile without a token takes that of the environment, to its own address: as was meant.
    """
    token, address = loaded.origin("auth_token"), loaded.origin("base_url")
    if token is DEFAULT or address is DEFAULT or token.is_variable == address.is_variable:
        return
    if address.is_variable or "auth_token" in loaded.overridden:
        _log.warning(
            "the token of the %s goes to %s, which the %s sets: set both in one place, or unset "
            "the environment variable",
            token.place,
            loaded.settings.base_url,
            address.place,
        )


def partial_options(
    loaded: LoadedProfile, backend: Backend[Any], model: type[BaseModel]
) -> BaseModel:
    """What the ``[signer]`` table gives, checked as signing does.

    The key need not be named, and the table may have options of another model, too.
    """
    table = loaded.signer.options if loaded.signer else Sealed[dict[str, Any]]({})
    fields: Any = {
        name: (field.annotation, _optional(field))
        for name, field in {**model.model_fields, **backend.options.model_fields}.items()
    }
    origin = loaded.origin("signer")
    partial: type[BaseModel] = create_model(model.__name__, __config__=model.model_config, **fields)
    return validate(
        partial,
        table.open(),
        where=origin.place,
        folder=origin.folder,
        exposed=origin.exposed,
        texts=loaded.signer_is_text,
    )


def _optional(field: FieldInfo) -> FieldInfo:
    optional = copy(field)
    if field.is_required():
        optional.default = None
    return optional


def _validated_signer(
    loaded: LoadedProfile, *, reveal: bool = True
) -> tuple[str, Backend[Any], BackendOptions]:
    table: SignerTable = _required(loaded, "signer", "a table with 'backend' and its options")
    with loaded.placing("signer", "signer.backend"):
        backend = load_backend(table.backend)
    origin = loaded.origin("signer")
    options = validate(
        backend.options,
        table.options.open(),
        where=f"{origin.place}, signer {table.backend!r}",
        folder=origin.folder,
        exposed=origin.exposed,
        texts=loaded.signer_is_text,
        reveal=reveal,
    )
    return table.backend, backend, options


def _required(loaded: LoadedProfile, setting: str, what: str) -> Any:
    value = getattr(loaded.settings, setting)
    if value is None:
        profile = "in the profile" if loaded.name else f"in a configuration file ({default_path()})"
        raise ConfigurationError(
            f"{loaded.title}: {setting!r} is missing ({what}): set it {profile}, or in the "
            f"environment variable {ENVIRONMENT[setting].variable}"
        )
    return value


def open_with(name: str, backend: Backend[Any], options: BackendOptions) -> SigningKey:
    """Open the key of validated options, and compare its fingerprint; errors as of open_key."""
    try:
        key: object = backend.open(options)
    except DfnsSignersError:
        raise
    except Exception as error:
        # Without the text of the error, as for a signature: it may repeat a secret.
        raise PluginError(
            f"the backend {name!r} failed to open its key with {type(error).__name__}; report it "
            "to the author of the backend"
        ) from error
    if not isinstance(key, SigningKey) or not hasattr(key, "fingerprint"):
        raise PluginError(
            f"the backend {name!r} opened {type(key).__name__}, expected a SigningKey that called "
            "super().__init__; report it to the author of the backend"
        )
    try:
        key.require_fingerprint(options.fingerprint or key.fingerprint)
    except DfnsSignersError:
        release_logged(key.close)
        raise
    return key
