"""The files in ``deploy/gateway`` say what the gateway, its command line and Kubernetes take."""

from __future__ import annotations

import re
import shlex
from hashlib import sha256
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from dfns_signers.cli.app import command_line
from dfns_signers.gateway.loading import load_gateway
from dfns_signers.gateway.serving.bounds import Bounds
from tests.support import ROOT
from tests.support.certificates import Authority

FOLDER = ROOT / "deploy" / "gateway"
MANIFESTS = sorted((FOLDER / "kubernetes").glob("*.yaml"))
KUBERNETES = "1.31"
PROGRAM = ["dfns-signers", "gateway"]


def documents(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def pod_of(document: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = document["spec"]["template"]["spec"]
    return spec


def pods() -> list[Any]:
    return [
        pytest.param(pod_of(document), id=path.stem)
        for path in MANIFESTS
        for document in documents(path)
        if document["kind"] in {"Deployment", "StatefulSet"}
    ]


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod.get("initContainers", []), *pod["containers"]]


def gateway_of(pod: dict[str, Any]) -> dict[str, Any]:
    (found,) = [each for each in containers(pod) if each["name"] == "dfns-gateway"]
    return found


def parse(words: list[str]) -> None:
    """Parse the words of a command line, without running anything."""
    group: Any = command_line()
    command, rest = group.commands["gateway"].imported(), words
    while rest and rest[0] in getattr(command, "commands", {}):
        command, rest = command.commands[rest[0]], rest[1:]
        command = command.imported() if hasattr(command, "imported") else command
    command.make_context("gateway", rest, resilient_parsing=False)


@pytest.fixture
def existing(tmp_path: Path) -> Path:
    """A folder with every file that the configurations name, below it."""
    secrets = tmp_path / "run/secrets"
    for name in ("dfns", "tls"):
        (secrets / name).mkdir(parents=True)
    (secrets / "dfns/token").write_text("token")
    (secrets / "dfns/store").write_text("redis://redis:6379/0")
    (secrets / "dfns/seal-key").write_text(sha256(b"seal").hexdigest())
    authority = Authority(secrets / "tls")
    authority.issue("tls", "dfns-gateway.dfns-gateway.svc")
    (secrets / "tls/tls.pem").rename(secrets / "tls/tls.crt")
    (secrets / "tls/ca.pem").rename(secrets / "tls/ca.crt")
    for file in secrets.rglob("*"):
        file.chmod(0o700 if file.is_dir() else 0o600)
    return tmp_path


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_manifest_is_what_kubernetes_takes(path: Path) -> None:
    for document in documents(path):
        kubernetes_validate.validate(document, KUBERNETES, strict=True)


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_configuration_in_a_manifest_is_loaded(path: Path, existing: Path) -> None:
    (text,) = [d["data"]["config.toml"] for d in documents(path) if d["kind"] == "ConfigMap"]
    file = existing / "config.toml"
    file.write_text(re.sub(r'"(/run/secrets/)', rf'"{existing}\1', text), encoding="utf-8")
    file.chmod(0o600)

    loaded = load_gateway(config=file)

    assert loaded.profile.settings.audit is not None
    assert loaded.settings.admin is not None


@pytest.mark.parametrize("pod", pods())
def test_arguments_and_probes_are_commands_that_exist(pod: dict[str, Any]) -> None:
    gateway = gateway_of(pod)
    probes = [gateway[name] for name in gateway if name.endswith("Probe")]

    parse(gateway["args"])
    assert probes
    for probe in probes:
        command = probe["exec"]["command"]
        assert command[:2] == PROGRAM
        parse(command[2:])


@pytest.mark.parametrize("pod", pods())
def test_files_of_the_configuration_are_mounted(pod: dict[str, Any]) -> None:
    mounted = [mount["mountPath"] for mount in gateway_of(pod)["volumeMounts"]]
    texts = [
        document["data"]["config.toml"]
        for path in MANIFESTS
        for document in documents(path)
        if document["kind"] == "ConfigMap"
        and document["metadata"]["name"]
        in {v["configMap"]["name"] for v in pod["volumes"] if "configMap" in v}
    ]

    (text,) = texts
    named = re.findall(r'"(?:unix:)?(/[a-z][^"?]*)', text)
    assert named
    for name in named:
        assert any(name.startswith(f"{folder}/") for folder in mounted), name


@pytest.mark.parametrize("pod", pods())
def test_no_container_has_more_than_it_needs(pod: dict[str, Any]) -> None:
    of_pod = pod["securityContext"]
    assert of_pod["runAsNonRoot"] is True
    assert of_pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    for container in containers(pod):
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"]["memory"]


def test_application_beside_the_gateway_is_another_user_and_gets_none_of_its_secrets() -> None:
    (document,) = [d for d in documents(FOLDER / "kubernetes/sidecar.yaml") if "template" in str(d)]
    pod = pod_of(document)
    gateway, (application,) = gateway_of(pod), pod["containers"]
    secret = {v["name"] for v in pod["volumes"] if "secret" in v or "projected" in v}

    assert pod["shareProcessNamespace"] is False
    assert gateway["restartPolicy"] == "Always"
    assert application["securityContext"]["runAsUser"] != gateway["securityContext"]["runAsUser"]
    assert len(secret) == 2
    assert secret <= {mount["name"] for mount in gateway["volumeMounts"]}
    assert not secret & {mount["name"] for mount in application["volumeMounts"]}


def test_uid_in_the_configuration_of_the_sidecar_is_that_of_the_application() -> None:
    text = (FOLDER / "kubernetes/sidecar.yaml").read_text(encoding="utf-8")
    (uid,) = re.findall(r"uid = \[(\d+)\]", text)

    assert f"runAsUser: {uid}" in text


def test_time_to_end_is_more_than_calls_under_way_have() -> None:
    unit = (FOLDER / "dfns-gateway.service").read_text(encoding="utf-8")
    graces = [int(found) for found in re.findall(r"TimeoutStopSec=(\d+)", unit)]
    for path in MANIFESTS:
        graces += [
            int(found)
            for found in re.findall(r"GracePeriodSeconds: (\d+)", path.read_text(encoding="utf-8"))
        ]

    assert len(graces) == 3
    assert min(graces) > Bounds().drain + 10


def test_callers_reach_nothing_but_the_gateway() -> None:
    policies = {
        (d["metadata"]["namespace"], d["metadata"]["name"]): d["spec"]
        for d in documents(FOLDER / "kubernetes/workload.yaml")
        if d["kind"] == "NetworkPolicy"
    }

    denied = policies["dfns-gateway", "default-deny"]
    assert denied == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    outward = policies["payments", "dfns-by-the-gateway-only"]["egress"]
    assert not [peer for rule in outward for peer in rule["to"] if "ipBlock" in peer]


def test_unit_starts_the_gateway_and_knows_its_user_ids() -> None:
    unit = (FOLDER / "dfns-gateway.service").read_text(encoding="utf-8")
    settings = re.findall(r"^(\w+)=(.*)$", unit, re.MULTILINE)
    values = dict(settings)

    program, *words = shlex.split(values["ExecStart"])
    assert Path(program).name == "dfns-signers"
    assert words[0] == "gateway"
    parse(words[1:])
    assert (values["Type"], values["KillMode"]) == ("notify", "mixed")
    assert values["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert values["NoNewPrivileges"] == values["MemoryDenyWriteExecute"] == "yes"
    assert (values["ProtectSystem"], values["LimitCORE"]) == ("strict", "0")
    assert values["CapabilityBoundingSet"] == ""
    # It would make every caller on a unix socket user 65534.
    assert "PrivateUsers" not in values
    assert "StateDirectory" in values
    assert "RuntimeDirectory" in values


def test_image_is_built_from_files_that_exist_and_runs_the_gateway_as_nobody() -> None:
    text = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    lines = text.replace("\\\n", " ").splitlines()
    copies = [line.split()[1:-1] for line in lines if re.match("COPY (?!--from)", line)]
    copied = [name for names in copies for name in names]

    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert [p for p in re.findall(r"\./(plugins/[\w-]+)", text) if not (ROOT / p).is_dir()] == []
    assert 'ENTRYPOINT ["dfns-signers", "gateway"]' in lines
    assert "USER 65532:65532" in lines
    ignored = (FOLDER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignored[1] == "*"
    assert {line[1:] for line in ignored if line.startswith("!")} == set(copied)
