"""From the configuration of a gateway to its service."""

from __future__ import annotations

from dfns_signers.client.forwarding import ForwardingClient
from dfns_signers.config.assembly import client_arguments, configured_signer
from dfns_signers.config.profile_guards import configured_guard
from dfns_signers.gateway.callers.limits import Limits
from dfns_signers.gateway.callers.signing_rules import judges_by_caller
from dfns_signers.gateway.loading import LoadedGateway
from dfns_signers.gateway.operation.instruments import Instruments, new_instruments
from dfns_signers.gateway.service import Service
from dfns_signers.gateway.upstream import Upstream
from dfns_signers.gateway.user_actions.user_actions import UserActions
from dfns_signers.rate_limits.rates import Rate
from dfns_signers.signer import KeySigner


def new_service(
    gateway: LoadedGateway, instruments: Instruments | None = None
) -> tuple[Service, KeySigner]:
    """The service of a gateway, and the signer that it closes at the end.

    Args:
        gateway: as the configuration has it.
        instruments: see each request and each signature; new ones by default.

    Raises:
        ConfigurationError: the token cannot be read, or a setting of the profile is wrong.
    """
    instruments = instruments or new_instruments(gateway.settings, gateway.profile)
    guard = configured_guard(
        gateway.profile, judges_by_caller(lambda: service.callers), instruments.recorder
    )
    signer = configured_signer(gateway.profile, guard, [instruments.metrics])
    client = ForwardingClient(signer=signer, **client_arguments(gateway.profile))
    service = Service(
        gateway.callers,
        Limits(
            Rate.parse(gateway.settings.organisation_rate),
            gateway.replicas.counters,
            organisation=gateway.organisation,
        ),
        UserActions(
            gateway.replicas.seal_keys.open(),
            gateway.replicas.used,
            signed_as=(gateway.organisation, signer.credential_id),
        ),
        Upstream(client),
        instruments.observer,
    )
    return service, signer
