"""The contract of backends: a backend that keeps it passes, and each that breaks it fails."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from textwrap import indent
from typing import Any, TypeAlias

import pytest

from dfns_signers_testkit.contract import BackendContract
from tests.plugins.testkit import toy_backend

SUITE = """
from pathlib import Path
from secrets import token_hex
import pytest
from dfns_signers_testkit.contract import BackendContract, StoreUnderTest

class TestToy(BackendContract):
    backend = "toy"
    algorithms = ("Ed25519",)
    options_page = Path(__file__).with_name("toy.md")
    patience = {patience}
    not_offered = dict.fromkeys({not_offered}, "the toy store has Ed25519 only")
{more}
    @pytest.fixture(scope="class")
    @classmethod
    def store(cls):
        {first}
        pin = "toy-pin-271828"
        return StoreUnderTest(
            signers={{"Ed25519": {{"label": "wallets", "pin": pin}}}},
            environment={{"TOY_PIN": pin}},
            secrets=[pin],
            missing_key={{"label": "missing", "pin": pin}},
            unreachable={{"label": "unreachable", "pin": pin}},
            denied={{"label": "wallets", "pin": "wrong"}},
            create=lambda _: {{"label": f"created-{{token_hex(2)}}"}},
        )
"""
PAGE = "| option | |\n|---|---|\n| `label` | Label. |\n| `pin` | PIN. |\n| `slot` | Slot. |\n"
OTHERS = ("ES256", "ES256K", "RS256")

Run: TypeAlias = Callable[..., pytest.RunResult]


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the contract of the toy backend with a fault."""
    shutil.copy(toy_backend.__file__, pytester.path / "toy_backend.py")
    metadata = pytester.mkdir("toy-1.0.dist-info")
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n")
    entry = "[dfns_signers]\ntoy = toy_backend:ToyBackend\n"
    (metadata / "entry_points.txt").write_text(entry)
    (pytester.path / "toy.md").write_text(PAGE)
    pytester.syspathinsert()

    def run_it(
        *arguments: str,
        fault: str = "",
        patience: float = 30,
        not_offered: tuple[str, ...] = OTHERS,
        more: str = "",
        first: str = "pass",
        before: str = "",
    ) -> pytest.RunResult:
        monkeypatch.setenv("TOY_FAULT", fault)
        suite = SUITE.format(
            patience=patience, not_offered=not_offered, more=indent(more, "    "), first=first
        )
        pytester.makepyfile(test_toy=before + suite)
        return pytester.runpytest_inprocess("-p", "no:cacheprovider", *arguments)

    return run_it


def test_backend_that_keeps_the_contract_passes_every_test(run: Run) -> None:
    result = run()

    outcomes = result.parseoutcomes()
    assert outcomes.keys() == {"passed"}
    assert outcomes["passed"] >= len([n for n in dir(BackendContract) if n.startswith("test_")])


def test_backend_that_neither_finds_keys_nor_makes_next_ones_passes_every_test(run: Run) -> None:
    result = run("-k", "found or next_key", fault="neither found nor followed")

    result.assert_outcomes(passed=2)


def test_what_is_not_offered_is_reported_with_its_reason(run: Run) -> None:
    result = run("-k", "declared")

    result.stdout.fnmatch_lines(["toy: ES256K (the toy store has Ed25519 only)"])


@pytest.mark.parametrize(
    ("fault", "broken"),
    [
        ("wrong signature", "test_signature_is_that_of_the_message"),
        ("digest", "test_signature_is_that_of_the_message"),
        ("unverified", "test_signature_is_verified"),
        ("no attempts", "test_evidence_says_how_the_signature_came_about"),
        ("changed public key", "test_public_key_is_the_same_at_each_opening"),
        ("foreign exception", "test_empty_message_is_signed_or_refused"),
        ("foreign exception at opening", "test_failure_is_an_error_of_its_kind"),
        ("secret in error", "test_failure_is_an_error_of_its_kind"),
        ("secret in cause", "test_failure_is_an_error_of_its_kind"),
        ("secret in repr", "test_repr_shows_no_secret"),
        ("secret in the log", "test_log_shows_no_secret"),
        ("threads", "test_each_of_many_threads_gets_its_own_signature"),
        ("asyncio only", "test_each_of_many_tasks_gets_its_own_signature"),
        ("cancelled", "test_cancelled_signature_leaves_the_key_usable"),
        ("hang on close", "test_closed_key_refuses_to_sign"),
        (
            "closing ignored",
            (
                "test_closed_key_refuses_to_sign test_closing_the_signer_closes_its_key "
                "test_closed_key_refuses_to_sign_asynchronously "
                "test_closing_lets_no_signature_begin_and_breaks_none_under_way "
                "test_closing_lets_no_asynchronous_signature_begin_and_breaks_none_under_way"
            ),
        ),
        ("wrong length", "test_signature_has_the_encoding_of_its_algorithm"),
        ("short messages only", "test_longest_message_is_signed_and_a_longer_one_refused"),
        ("strings", "test_message_of_another_type_is_not_signed"),
        ("pickles", "test_key_does_not_pickle"),
        ("unknown option accepted", "test_unknown_option_is_refused_with_the_one_that_was_meant"),
        ("undocumented option", "test_every_option_has_a_row_on_the_page"),
        ("option without description", "test_every_option_has_a_description"),
        ("created key not listed", "test_created_key_is_listed_and_signs"),
        ("never found", "test_created_key_is_found_where_the_backend_finds_keys"),
        ("found too early", "test_created_key_is_found_where_the_backend_finds_keys"),
        ("another found", "test_created_key_is_found_where_the_backend_finds_keys"),
        ("next key each time", "test_next_key_is_made_once_where_the_backend_makes_next_keys"),
        ("no next key", "test_next_key_is_made_once_where_the_backend_makes_next_keys"),
        ("configured key changed", "test_next_key_is_made_once_where_the_backend_makes_next_keys"),
    ],
)
def test_backend_that_breaks_the_contract_fails_the_test_of_it(
    run: Run, fault: str, broken: str
) -> None:
    patience = 0.2 if fault.startswith("hang") else 30

    tests = broken.split()

    result = run("-k", " or ".join([*tests, "declared"]), fault=fault, patience=patience)

    result.stdout.fnmatch_lines_random([f"FAILED test_toy.py::TestToy::{name}*" for name in tests])
    result.stdout.no_fnmatch_line("*FAILED*declared*")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("hang after fork", "the forked child hangs"),
        ("foreign exception after fork", "PluginError"),
    ],
)
def test_backend_that_is_lost_after_a_fork_fails(run: Run, fault: str, said: str) -> None:
    result = run("-k", "forked", fault=fault, patience=0.5 if "hang" in fault else 30)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"E*{said}*"])


@pytest.mark.parametrize(
    "skipping",
    [
        {"first": "pytest.skip('no server here')"},
        {"more": "pytestmark = pytest.mark.skip"},
        {"more": "pytestmark = pytest.mark.xfail(reason='later')"},
        {"first": "pytest.importorskip('no_such_module')"},
    ],
)
def test_skipped_contract_fails(run: Run, skipping: dict[str, str]) -> None:
    result = run("-k", "pickle", **skipping)

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert result.parseoutcomes().keys() & {"failed", "error", "errors"}
    result.stdout.fnmatch_lines(["*the contract was skipped or expected to fail*"])


def test_contract_of_a_module_that_is_skipped_fails(run: Run) -> None:
    result = run(before="import pytest\npytest.importorskip('no_such_module')\n")

    assert result.ret != pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        ["*a module with a contract of a backend was skipped*no_such_module*"]
    )


@pytest.mark.parametrize(
    "change",
    ["test_key_does_not_pickle = None", "__test__ = False", "pytest_generate_tests = None"],
)
def test_contract_that_is_changed_is_refused(run: Run, change: str) -> None:
    result = run(more=change)

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*TestToy changes * of the contract*"])


def test_contract_test_that_is_deselected_fails_the_run(run: Run) -> None:
    result = run("--deselect", "test_toy.py::TestToy::test_key_does_not_pickle")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*contract tests were deselected*test_key_does_not_pickle*"])


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"not_offered": ("ES256", "ES256K")}, "'RS256' is missing*"),
        ({"not_offered": (*OTHERS, "denied")}, "'denied' is offered, and not_offered says*"),
        ({"not_offered": (*OTHERS, "Ed25519")}, "'Ed25519' is offered, and not_offered says*"),
        ({"not_offered": (*OTHERS, "forks")}, "not_offered names 'forks'*"),
        ({"more": "options_page = None"}, "'options_page' is missing*"),
        ({"more": "not_offered = {'ES256': ' '}"}, "not_offered has no reason for 'ES256'*"),
        ({"more": "algorithms = ()"}, "algorithms are ()*"),
    ],
)
def test_declaration_that_is_missing_or_untrue_fails(
    run: Run, declared: dict[str, Any], said: str
) -> None:
    result = run("-k", "declared", **declared)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"*{said}"])


def test_management_that_is_offered_cannot_be_left_out(run: Run) -> None:
    result = run("-k", "where_the_backend_says_so", not_offered=(*OTHERS, "create"))

    result.assert_outcomes(failed=1)


def test_what_is_not_offered_is_not_run(run: Run) -> None:
    result = run("-k", "tasks", not_offered=(*OTHERS, "trio"))

    result.assert_outcomes(passed=1)
