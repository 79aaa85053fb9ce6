"""``gateway``: a local service that speaks the Dfns API, for callers in any language."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Annotated, Final

import typer

from dfns_signers.cli.exit_codes import reports_errors
from dfns_signers.cli.lazy_command import defaults_of_commands
from dfns_signers.cli.options import ConfigOption, GatewayProfileOption
from dfns_signers.cli.output import note
from dfns_signers.errors import ConfigurationError
from dfns_signers.gateway.operation.logs import Format, Level, logging_to

_log: Final = logging.getLogger(__name__)

_EXTRA: Final = ("h11", "prometheus_client", "uvicorn")


@reports_errors
def gateway(
    context: typer.Context,
    config: ConfigOption = None,
    profile: GatewayProfileOption = None,
    log_format: Annotated[
        Format, typer.Option(help="Log lines for people, or an object of JSON a line.")
    ] = "text",
    log_level: Annotated[
        Level, typer.Option(help="The lowest level that is logged; each request is at 'info'.")
    ] = "info",
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
    from dfns_signers.gateway.loading import load_gateway  # noqa: PLC0415
    from dfns_signers.gateway.serving.server import run_gateway  # noqa: PLC0415

    with logging_to(sys.stderr, log_format, log_level):
        loaded = load_gateway(profile, config=config)
        run_gateway(loaded, _announced if log_format == "text" else _logged)


def _announced(urls: Sequence[str]) -> None:
    note(f"ready: {', '.join(urls)}")


def _logged(urls: Sequence[str]) -> None:
    _log.info("ready: %s", ", ".join(urls))


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
