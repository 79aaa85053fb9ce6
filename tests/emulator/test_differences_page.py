"""Each sentence of the lists of docs/emulator-differences.md is proved by a test.

``page_claims.json`` has a phrase of each sentence and the tests that prove it, by module and name.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from dfns_signers.emulator.webhooks.webhooks import KEPT_DELIVERIES, UNFINISHED_DELIVERIES
from tests.support import ROOT
from tests.support.pages import DOCS

PAGE = "emulator-differences.md"
CLAIMS = json.loads(Path(__file__).with_name("page_claims.json").read_text("utf-8"))
BULLET = re.compile(r"^- (.*(?:\n  .*)*)", re.MULTILINE)
END_OF_SENTENCE = re.compile(r"(?<=\.) (?=[A-Z`])")
TESTS = {
    f"{path.stem}.{name}"
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)
}
SENTENCES = [
    sentence
    for bullet in BULLET.findall((DOCS / PAGE).read_text("utf-8"))
    for sentence in END_OF_SENTENCE.split(" ".join(bullet.split()))
]


@pytest.mark.parametrize("sentence", SENTENCES)
def test_sentence_is_proved_by_a_test(sentence: str) -> None:
    assert [phrase for phrase in CLAIMS if phrase in sentence], (
        "say in page_claims.json which test proves it"
    )


@pytest.mark.parametrize("phrase", CLAIMS)
def test_claim_is_one_sentence_of_the_page(phrase: str) -> None:
    assert len([sentence for sentence in SENTENCES if phrase in sentence]) == 1


@pytest.mark.parametrize("name", sorted({name for tests in CLAIMS.values() for name in tests}))
def test_named_test_is_there(name: str) -> None:
    assert name in TESTS


def test_bounds_of_deliveries_are_on_the_page() -> None:
    bounds = f"The last {KEPT_DELIVERIES:,} events are kept, and {UNFINISHED_DELIVERIES:,} may wait"

    assert [sentence for sentence in SENTENCES if sentence.startswith(bounds)]
