"""Google credentials, as google-auth gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import google.auth
from google.auth import aws, identity_pool, impersonated_credentials
from google.auth.credentials import CredentialsWithQuotaProject
from google.auth.exceptions import GoogleAuthError
from google.oauth2 import credentials as user
from google.oauth2 import service_account

from dfns_signers.plugin import Failure, Meaning, Sealed, bounded_json, errors, explained
from dfns_signers_gcp_kms.errors import PROVIDER
from dfns_signers_gcp_kms.options import GcpKmsConnection

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

SCOPES: Final = ["https://www.googleapis.com/auth/cloudkms"]
_IMPERSONATING: Final = ["https://www.googleapis.com/auth/cloud-platform"]
_Impersonated: Final[Any] = impersonated_credentials.Credentials
# What google-auth raises for an incomplete file; never shown, since it may quote the file.
_INCOMPLETE: Final = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
_MISSING: Final = Meaning(
    errors.KeyAccessError,
    "set credentials_file, or provide Application Default Credentials",
)


def load_credentials(options: GcpKmsConnection) -> Credentials:
    """The credentials that the options choose; no token is fetched yet.

    Raises:
        ConfigurationError: the credentials file is unusable.
        KeyAccessError: there are no credentials; Google's own hint says where they may be.
    """
    principal = options.impersonate_service_account
    scopes = _IMPERSONATING if principal else SCOPES
    with explained("load Google credentials", provider=PROVIDER, explain=_explain):
        found = _source(options.credentials_file, scopes)
        if principal:
            found = _Impersonated(found, target_principal=principal, target_scopes=SCOPES)
        return _with_quota_project(found, options.quota_project)


def member_of(credentials: Any) -> str | None:
    """Whose credentials they are, as IAM names members; None where they do not say it.

    Those of a machine may say it only when they have been used.
    """
    account = getattr(credentials, "service_account_email", None)
    if account and "@" in account:
        return f"serviceAccount:{account}"
    person = getattr(credentials, "account", None)
    return f"user:{person}" if person else None


_NOT_JSON: Final = object()


def _explain(error: Exception) -> Failure | None:
    return Failure(_MISSING, str(error)) if isinstance(error, GoogleAuthError) else None


def _source(file: Path | None, scopes: list[str]) -> Any:
    if file is not None:
        return _from_file(file, scopes)
    try:
        return google.auth.default(scopes=scopes)[0]
    except _INCOMPLETE as error:
        raise errors.ConfigurationError(
            "the Application Default Credentials are not a complete credentials file "
            f"({type(error).__name__}): check GOOGLE_APPLICATION_CREDENTIALS, or renew them with "
            "'gcloud auth application-default login'"
        ) from None


def _with_quota_project(found: Credentials, project: str | None) -> Credentials:
    if project is None:
        return found
    if not isinstance(found, CredentialsWithQuotaProject):
        raise errors.ConfigurationError(
            f"quota_project cannot be used with {type(found).__name__}: remove it"
        )
    charged: Credentials = cast("Any", found).with_quota_project(project)
    return charged


def _external(info: Mapping[str, Any], scopes: list[str]) -> Any:
    from_aws = "regional_cred_verification_url" in info.get("credential_source", {})
    kind: Any = aws.Credentials if from_aws else identity_pool.Credentials
    return kind.from_info(info, scopes=scopes)


# By the member "type". Other types that google-auth can read start programs, or name further files:
# they are left to GOOGLE_APPLICATION_CREDENTIALS, which nobody sets by accident.
_KINDS: Final[Mapping[object, Callable[..., Any]]] = {
    "service_account": service_account.Credentials.from_service_account_info,
    "external_account": _external,
    "authorized_user": user.Credentials.from_authorized_user_info,
}


def _from_file(file: Path, scopes: list[str]) -> Any:
    info = _read(file)
    kind = info.open().get("type")
    if kind not in _KINDS:
        raise _unusable(
            file,
            f"is of the type {kind!r}; expected one of {', '.join(map(str, _KINDS))}. Leave "
            "credentials_file out for other types, and set GOOGLE_APPLICATION_CREDENTIALS",
        )
    try:
        return _KINDS[kind](info.open(), scopes=scopes)
    except _INCOMPLETE as error:
        why = f"is not a complete {kind} file ({type(error).__name__}): download it again"
    # Outside of the handler: as its context, the error would keep what the file has.
    raise _unusable(file, why)


def _read(file: Path) -> Sealed[dict[str, Any]]:
    try:
        info: Sealed[Any] = Sealed(bounded_json(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise _unusable(file, f"cannot be read: {error.strerror}") from error
    except ValueError:
        info = Sealed(_NOT_JSON)
    # Outside of the handler: as its context, a parser's error would keep all that the file has.
    if info.open() is _NOT_JSON:
        raise _unusable(file, "is not valid JSON")
    if not isinstance(info.open(), dict):
        raise _unusable(file, "does not contain a JSON object")
    return info


def _unusable(file: Path, why: str) -> errors.ConfigurationError:
    return errors.ConfigurationError(f"the credentials file {file} {why}")
