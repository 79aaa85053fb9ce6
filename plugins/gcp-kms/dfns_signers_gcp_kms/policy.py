"""The least that IAM has to grant for signing with a key, as commands of gcloud."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from dfns_signers.plugin import Policy, errors
from dfns_signers_gcp_kms.credentials import load_credentials, member_of
from dfns_signers_gcp_kms.errors import PERMISSIONS
from dfns_signers_gcp_kms.names import gcloud_flags
from dfns_signers_gcp_kms.options import GcpKmsOptions

SIGNING: Final = {
    f"cloudkms.{permission}": f"roles/cloudkms.{role}"
    for permission, role in map(PERMISSIONS.__getitem__, ("asymmetric_sign", "get_public_key"))
}
"""What opening a key and signing with it needs, each with the smallest role that has it."""

_BOTH: Final = "roles/cloudkms.signerVerifier"
_UNKNOWN_MEMBER: Final = "serviceAccount:NAME@PROJECT.iam.gserviceaccount.com"


def policy_for(options: GcpKmsOptions) -> Policy:
    """A role of exactly the permissions that signing needs, granted on the crypto key.

    It is granted to whom the options name, in a file or by e-mail; else to a placeholder.
    """
    crypto_key = options.key_version.partition("/cryptoKeyVersions/")[0]
    project = crypto_key.split("/")[1]
    role = (
        f"gcloud iam roles create dfnsSigner --project {project} --title 'Sign for Dfns' "
        f"--permissions {','.join(sorted(SIGNING))}"
    )
    binding = _binding(crypto_key, _member(options), f"projects/{project}/roles/dfnsSigner")
    return Policy("gcloud commands", f"{role}\n{binding}\n")


def granting(crypto_key: str, member: str | None, missing: Collection[str]) -> str:
    """The command that grants what is missing, with the smallest predefined role that has it."""
    role = _BOTH if len(missing) > 1 else SIGNING[next(iter(missing))]
    return _binding(crypto_key, member, role)


def _member(options: GcpKmsOptions) -> str | None:
    if options.impersonate_service_account is not None:
        return f"serviceAccount:{options.impersonate_service_account}"
    # Application Default Credentials may be a matter of asking a server.
    if options.credentials_file is None:
        return None
    try:
        return member_of(load_credentials(options))
    except errors.DfnsSignersError:
        return None


def _binding(crypto_key: str, member: str | None, role: str) -> str:
    key = crypto_key.rsplit("/", 1)[1]
    where = gcloud_flags(crypto_key).removeprefix(f"--key {key} ")
    return (
        f"gcloud kms keys add-iam-policy-binding {key} {where} "
        f"--member {member or _UNKNOWN_MEMBER} --role {role}"
    )
