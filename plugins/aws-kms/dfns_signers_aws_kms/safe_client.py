"""Clients of AWS whose credentials leave this machine by https alone, with bounded answers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.loaders import Loader, create_loader

from dfns_signers.plugin import check_service_url, errors
from dfns_signers_aws_kms.bounded_http import bound_answers

if TYPE_CHECKING:
    import boto3

_NEW_CLASS: Final = "creating-client-class"


class SafeSession(botocore.session.Session):
    """A session whose clients are safe, those of its own sources of credentials included.

    All sessions share the models of services that were read.

    Args:
        profile: profile of the AWS configuration files; None for the usual chain.
    """

    def __init__(self, profile: str | None = None) -> None:
        super().__init__(profile=profile)
        self.register_component("data_loader", _loader(self.get_config_variable("data_path")))
        self.register(_NEW_CLASS, bound_answers)

    def create_client(self, service_name: str, **settings: Any) -> Any:  # type: ignore[override]
        """As botocore's, by ``safe_client``."""
        return safe_client(super().create_client, service_name, **settings)


def clients_of(session: boto3.Session) -> Callable[..., Any]:
    """What makes safe clients from a session that is not ours, and leaves it as it is."""

    def new_client(service: str, **settings: Any) -> Any:
        session.events.register(_NEW_CLASS, bound_answers)
        try:
            return safe_client(session.client, service, **settings)
        finally:
            session.events.unregister(_NEW_CLASS, bound_answers)

    return new_client


class _Models(Loader):
    """Reads the models of services as botocore does, and looks for those alone that are used."""

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002  # botocore's
        """Names of folders, where botocore looks into each of 400 for a model."""
        folders = [Path(path) for path in self.search_paths]
        return [entry.name for path in folders if path.is_dir() for entry in path.iterdir()]


@cache
def _loader(data_path: str | None) -> Loader:
    return _Models(create_loader(data_path).search_paths, include_default_search_paths=False)


def safe_client(new_client: Callable[..., Any], service: str, **settings: Any) -> Any:
    """A client whose address obeys the rule of ``endpoint_url``; http goes past any proxy.

    Args:
        new_client: makes the client, from the name of the service and ``settings``.
        service: its name in botocore, such as ``sso-oidc``.
        settings: what else ``new_client`` takes; ``config`` is botocore's.

    Raises:
        ConfigurationError: the AWS configuration has an address that the options would not take.
    """
    config = settings.get("config") or Config()
    past_proxies = {**settings, "config": config.merge(Config(proxies={}))}
    if urlsplit(settings.get("endpoint_url") or "").scheme == "http":
        return _checked(new_client, service, past_proxies)
    client = _checked(new_client, service, settings)
    # An address of the AWS configuration is known to the client alone.
    if urlsplit(client.meta.endpoint_url).scheme == "http" and client.meta.config.proxies != {}:
        client.close()
        client = _checked(new_client, service, past_proxies)
    return client


def _checked(new_client: Callable[..., Any], service: str, settings: dict[str, Any]) -> Any:
    try:
        client = new_client(service, **settings)
    except BotoCoreError:
        raise
    except ValueError:  # without its text: it has the address, and a password may be in that
        raise _bad_address(service, ValueError("expected a URL")) from None
    try:
        check_service_url(client.meta.endpoint_url)
    except ValueError as error:
        client.close()
        raise _bad_address(service, error) from None
    return client


def _bad_address(service: str, error: ValueError) -> errors.ConfigurationError:
    name = service.upper()
    variable = f"AWS_ENDPOINT_URL_{name.replace('-', '_')}"
    return errors.ConfigurationError(
        f"cannot use the address of AWS {name} in the AWS configuration ({variable}, "
        f"AWS_ENDPOINT_URL, or 'endpoint_url' of the profile): {error}"
    )
