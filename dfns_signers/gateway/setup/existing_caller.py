"""A caller that the configuration file has already."""

from __future__ import annotations

import os

from dfns_signers.config.writing import ConfigEdit
from dfns_signers.gateway.loading import read_settings
from dfns_signers.gateway.setup.caller_tokens import organisation_of
from dfns_signers.gateway.setup.new_caller import AddedCaller, require_caller
from dfns_signers.sealed import Sealed


def existing_caller(
    name: str, profile: str | None, config: str | os.PathLike[str] | None
) -> AddedCaller:
    """A caller as the configuration file has it: without its token, which the file has not.

    Args:
        name: of the caller.
        profile: whose organisation its program sets; None for that of the gateway.
        config: the configuration file, as of ``ConfigEdit``.

    Raises:
        ConfigurationError: there is no such caller, or a setting of the gateway is wrong.
    """
    edit = ConfigEdit(config)
    require_caller(edit, name)
    settings = read_settings(Sealed(edit.gateway), edit.path, reveal=False)
    credential = settings.callers[name].credential
    return AddedCaller(
        name,
        settings,
        token=None,
        token_file=None,
        organisation=organisation_of(profile or settings.profile, edit.path),
        private_key=credential.public_key.with_suffix(".pem") if credential else None,
        config=edit.path,
    )
