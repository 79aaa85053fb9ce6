"""``gateway``: a local service that speaks the Dfns API, for callers in any language."""

from __future__ import annotations

from dfns_signers.cli.exit_codes import reports_errors
from dfns_signers.cli.options import ConfigOption, ProfileOption
from dfns_signers.cli.output import note


@reports_errors
def gateway(config: ConfigOption = None, profile: ProfileOption = None) -> None:
    """Serve the Dfns API to local callers, and sign what their rules allow."""
    from dfns_signers.gateway.assembly import load_gateway  # noqa: PLC0415
    from dfns_signers.gateway.serving.server import run_gateway  # noqa: PLC0415

    loaded = load_gateway(profile, config=config)
    run_gateway(loaded, lambda urls: note(f"ready: {', '.join(urls)}"))
