"""``gateway``: a local service that speaks the Dfns API, for callers in any language."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

import typer

from dfns_signers.cli.exit_codes import reports_errors
from dfns_signers.cli.lazy_command import defaults_of_commands
from dfns_signers.cli.options import ConfigOption, ProfileOption
from dfns_signers.cli.output import note
from dfns_signers.errors import ConfigurationError

_EXTRA: Final = ("h11", "limits", "prometheus_client", "uvicorn")


@reports_errors
def gateway(
    context: typer.Context, config: ConfigOption = None, profile: ProfileOption = None
) -> None:
    """Serve the Dfns API to local callers, and sign what their rules allow.

    Runs in the foreground. Listeners, callers and rules are in the table `gateway` of the
    configuration file.

    Example: `dfns-signers gateway --profile production`
    """
    if context.invoked_subcommand is not None:
        given = {"config": config, "profile": profile}
        context.default_map = defaults_of_commands(context.command, given)
        return
    require_extra()
    from dfns_signers.gateway.assembly import load_gateway  # noqa: PLC0415
    from dfns_signers.gateway.serving.server import run_gateway  # noqa: PLC0415

    loaded = load_gateway(profile, config=config)
    run_gateway(loaded, lambda urls: note(f"ready: {', '.join(urls)}"))


def require_extra() -> None:
    """Refuse to go on where a package of the extra is missing.

    Raises:
        ConfigurationError: says what to install.
    """
    for name in _EXTRA:
        if find_spec(name) is None:
            raise ConfigurationError(
                f'the gateway needs {name}, which is not installed; run: pip install "dfns-signers'
                '[gateway]"'
            )
