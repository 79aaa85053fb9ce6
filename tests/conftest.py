"""What holds for every test.

A clean environment, no secret in a log record or an error, and only answers of declared shapes
from an emulator.
"""

from __future__ import annotations

import functools
import gc
import logging
import os
import ssl
from collections.abc import Iterator

import pytest
from hypothesis import settings
from tenacity import wait_random_exponential

from dfns_signers import retries
from tests.secrecy import Watch, watch_errors
from tests.support.answer_judge import AnswerJudge

pytest_plugins = ["pytester"]

for _module in ("doctor", "flow", "gateway", "gateway_outages", "lifecycle"):
    pytest.register_assert_rewrite(f"tests.plugins.{_module}")

# Making an RSA key or a signature may well take longer than the default deadline.
settings.register_profile("dfns-signers", deadline=None)
settings.load_profile("dfns-signers")

_FOREIGN = ("DFNS_", "AWS_", "VAULT_", "BAO_", "GOOGLE_", "CLOUDSDK_")


@pytest.fixture(scope="session")
def secrecy() -> Iterator[Watch]:
    watch, root = Watch(), logging.getLogger()
    # Sixteen records for each request, of which none has a header of ours.
    logging.getLogger("httpcore").setLevel(logging.INFO)
    level = root.level
    root.addHandler(watch)
    root.setLevel(logging.DEBUG)
    with pytest.MonkeyPatch.context() as patch:
        watch_errors(watch, patch)
        yield watch
    root.removeHandler(watch)
    root.setLevel(level)


@pytest.fixture(scope="session", autouse=True)
def _files_are_written_by_their_owner_alone() -> Iterator[None]:
    """Whatever the umask of this machine: a secret in a file that others can write is refused."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def without_garbage_collection() -> Iterator[None]:
    """For parsers without a limit: at the end of the stack, finalizers would fail."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _one_tls_context() -> Iterator[None]:
    """The CA certificates are read once, not by each httpx client of a test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", functools.cache(ssl.create_default_context))
        yield


@pytest.fixture(scope="session", autouse=True)
def _attempts_follow_each_other_soon() -> Iterator[None]:
    """What is sent again is sent within milliseconds, unless a server asks for a pause."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retries, "BACKOFF", wait_random_exponential(multiplier=0.002))
        yield


@pytest.fixture(autouse=True)
def _no_secret_gets_out(secrecy: Watch) -> Iterator[None]:
    yield
    assert secrecy.drain() == []


@pytest.fixture(scope="session")
def answer_judge() -> Iterator[AnswerJudge]:
    with pytest.MonkeyPatch.context() as patch:
        judge = AnswerJudge()
        judge.watch(patch)
        yield judge


@pytest.fixture(autouse=True)
def _answers_of_the_emulator_fit_their_shapes(answer_judge: AnswerJudge) -> Iterator[None]:
    yield
    assert answer_judge.drain() == []


@pytest.fixture(autouse=True)
def _no_configuration_of_this_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for name in os.environ:
        if name.startswith(_FOREIGN):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", os.fspath(tmp_path_factory.getbasetemp() / "no-config"))


_SERVERS = {
    "aws": ("aws_kms/", "testkit/test_aws"),
    "vault": ("vault_transit/", "testkit/test_vault"),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker runs the tests of a server, which is then started once; else, those of a file."""
    for item in items:
        file = item.nodeid.partition("::")[0]
        uses = (name for name, parts in _SERVERS.items() if any(part in file for part in parts))
        item.add_marker(pytest.mark.xdist_group(next(uses, file)))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
