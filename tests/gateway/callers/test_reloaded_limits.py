"""What was counted and announced before a reload goes on to count after it."""

from __future__ import annotations

from pathlib import Path

from dfns_signers.emulator import Emulator
from tests.emulator.caller import answered, compact
from tests.gateway.callers.test_limits import WALLET, caller
from tests.gateway.processes import gateway_process
from tests.gateway.reloads import change, reloaded
from tests.gateway.running import LISTEN, RunningGateway, configuration
from tests.gateway.user_actions.signing_callers import by_hand, signing_caller


def test_reload_gives_back_nothing_of_the_rate_of_a_rule_or_a_caller(tmp_path: Path) -> None:
    rates = caller(rate='rate = "2/hour"', rule='rate = "1/hour"')
    with Emulator(exact_payloads=True) as emulator:
        file = configuration(tmp_path, emulator, f"{LISTEN}\n{rates}")
        with gateway_process(file) as gateway:
            running = RunningGateway(gateway.urls, emulator)
            with running.client() as client:
                assert client.post("/wallets", json=WALLET).status_code == 200

                reloaded(gateway)
                refused = client.post("/wallets", json=WALLET)
                change(file, 'rate = "1/hour"', 'rate = "9/hour"')
                reloaded(gateway)
                statuses = [client.post("/wallets", json=WALLET).status_code for _ in range(2)]

    assert refused.status_code == 429
    assert statuses == [200, 429]


def test_open_challenge_is_redeemed_by_the_rules_of_after_a_reload(tmp_path: Path) -> None:
    with Emulator(exact_payloads=True) as emulator:
        file = configuration(tmp_path, emulator, f"{LISTEN}\n{signing_caller(tmp_path)}")
        with gateway_process(file) as gateway:
            running = RunningGateway(gateway.urls, emulator)
            with by_hand(running) as sdk:
                actions = [
                    sdk.user_action("POST", "/wallets", compact(WALLET).decode()) for _ in "12"
                ]
                change(file, 'call = "POST /wallets"', 'call = "POST /keys"')
                reloaded(gateway)
                refused = sdk.send("POST", "/wallets", compact(WALLET), user_action=actions[0])
                change(file, 'call = "POST /keys"', 'call = "POST /wallets"')
                reloaded(gateway)
                again = sdk.send("POST", "/wallets", compact(WALLET), user_action=actions[0])

    assert answered(refused, 403)["error"]["details"]["gateway"] == "no-rule"
    assert again.status_code == 200
    assert len(emulator.requests) == 3
