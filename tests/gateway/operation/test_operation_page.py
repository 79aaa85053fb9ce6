"""``docs/gateway-operation.md`` says what the gateway does."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from dfns_signers.algorithms import Algorithm
from dfns_signers.evidence import Evidence
from dfns_signers.gateway.configuration.settings import GatewaySettings
from dfns_signers.gateway.operation.admin import PAGES
from dfns_signers.gateway.operation.logs import members_of
from dfns_signers.gateway.operation.metrics import Metrics
from dfns_signers.secrets import Secret
from tests.gateway.requests.observed_exchanges import OF_A_STRANGER, exchange
from tests.support import ROOT
from tests.support.certificates import Authority
from tests.support.pages import blocks, rows, section

PAGE = "gateway-operation.md"
EXPIRING = Secret.literal("e30.eyJleHAiOjE5MDAwMDAwMDB9.c2ln")  # no real one


def used(folder: Path) -> Metrics:
    """Metrics of which each has a series."""
    Authority(folder).issue("server", "localhost")
    metrics = Metrics("pem", EXPIRING)
    tls = {"here": {"certificate": folder / "server.pem", "key": "unused"}}
    listen = ["localhost:8788?tls=here"]
    metrics.configured(GatewaySettings.model_validate({"listen": listen, "tls": tls}))
    metrics.finished(exchange())
    metrics.finished(exchange(**OF_A_STRANGER))
    metrics.finished(exchange(check="rate", status=429, upstream_seconds=None))
    metrics.after_sign(Evidence(Algorithm.ES256, "key", None, "sha256:00", 0.1, 1, None, True))
    metrics.sign_failed()
    metrics.connections.labels("127.0.0.1:8787").inc()
    return metrics


def test_metrics_are_those_of_the_registry(tmp_path: Path) -> None:
    expected = []
    for family in used(tmp_path).registry.collect():
        if family.name.startswith("dfns_gateway_"):
            name = f"{family.name}_total" if family.type == "counter" else family.name
            labels = sorted(
                {label for sample in family.samples for label in sample.labels} - {"le"}
            )
            shown = ", ".join(f"`{label}`" for label in labels)
            expected.append(f"| `{name}` | {family.type} | {shown} | {family.documentation} |")

    assert rows(section(PAGE, "Metrics")) == sorted(expected)


def test_alerts_ask_for_metrics_and_labels_that_exist(tmp_path: Path) -> None:
    (alerts,) = blocks(section(PAGE, "Metrics"), "yaml")
    samples = [s for family in used(tmp_path).registry.collect() for s in family.samples]
    known = {sample.name: sample.labels.keys() for sample in samples}

    (group,) = yaml.safe_load(alerts)["groups"]
    assert group["rules"]
    for rule in group["rules"]:
        (name,) = re.findall(r"dfns_gateway_\w+", rule["expr"])
        asked = re.findall(r"(\w+)!?=\"", rule["expr"])
        asked += [
            label for by in re.findall(r"by \((.*?)\)", rule["expr"]) for label in by.split(", ")
        ]
        assert set(asked) <= known[name], rule["alert"]


def test_paths_are_those_of_the_admin_listener() -> None:
    listed = [row.split("`")[1] for row in rows(section(PAGE, "Health"))]

    assert listed == list(PAGES)


def test_example_of_the_configuration_is_valid() -> None:
    (text,) = blocks(section(PAGE, "Health"), "toml")
    (admin,) = re.findall(r'admin = "([^"]*)"', text)

    GatewaySettings.model_validate({"listen": ["127.0.0.1:8787"], "admin": admin})


def test_example_of_a_log_line_has_the_members_of_one() -> None:
    (line,) = blocks(section(PAGE, "Logs"), "json")

    assert json.loads(line).keys() - {"time", "level", "logger", "message"} == (
        members_of(exchange()).keys()
    )


@pytest.mark.parametrize("title", ["systemd", "Docker", "Kubernetes"])
def test_files_that_commands_name_exist(title: str) -> None:
    commands = " ".join(blocks(section(PAGE, title), "sh"))
    named = [word for word in shlex.split(commands) if word.startswith("deploy/")]

    assert named
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_secrets_that_are_created_are_those_that_the_manifest_mounts() -> None:
    commands = " ".join(blocks(section(PAGE, "Kubernetes"), "sh"))
    created = re.findall(r"create secret generic (\S+)", commands)
    manifest = (ROOT / "deploy/gateway/kubernetes/workload.yaml").read_text(encoding="utf-8")

    assert sorted(created) == sorted(re.findall(r"secretName: (\S+)", manifest))
