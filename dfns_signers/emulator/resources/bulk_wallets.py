"""``/wallets/bulk-create``: jobs that make many wallets of one network."""

from __future__ import annotations

from typing import Final

from dfns_signers.emulator.keys.key_material import KEY_STORE
from dfns_signers.emulator.requests.fields import integer, known, list_of, members, string
from dfns_signers.emulator.requests.messages import not_found
from dfns_signers.emulator.requests.routes import Call, Route
from dfns_signers.emulator.requests.wire import iso_date, new_id
from dfns_signers.emulator.resources.wallets import TAG, add_wallet
from dfns_signers.emulator.state import PAGING, Collection, Record

# The types of the official SDK for Python.
_NETWORKS: Final = (
    "Ethereum", "EthereumSepolia", "EthereumHolesky", "EthereumHoodi", "Bsc", "BscTestnet",
    "Base", "BaseSepolia", "ArbitrumOne", "ArbitrumSepolia", "Optimism", "OptimismSepolia",
    "Tron", "TronNile", "Solana", "SolanaDevnet",
)  # fmt: skip
_MAXIMUM: Final = 1000  # assumed
_NEW: Final = members(
    {
        "network": known(_NETWORKS, "a network that wallets are made on in bulk"),
        "count": integer(1, _MAXIMUM),
        "name": string(),
    },
    {"tags": list_of(TAG, minimum=0), "keystoreId": string()},
)


def create(call: Call) -> Record:
    """A new job, which is done when it is read."""
    body, now = call.body, iso_date(call.state.clock())
    store = body.get("keystoreId", KEY_STORE["id"])
    if store != KEY_STORE["id"]:
        raise not_found("Key store", store)
    job = {
        "id": new_id("jo"),
        "orgId": call.state.directory.org_id,
        "status": "Pending",
        "network": body["network"],
        "namePrefix": body["name"],
        "tags": body.get("tags", []),
        "totalCount": body["count"],
        "completedCount": 0,
        "keystoreId": store,
        "dateCreated": now,
        "dateUpdated": now,
    }
    _jobs(call).add(job)
    call.state.progress.start(job["id"], [lambda: _make(call, job)])
    return {"id": job["id"], "status": job["status"]}


def list_page(call: Call) -> Record:
    """A page of jobs."""
    return _jobs(call).page(call.query)


def get(call: Call) -> Record:
    """One job."""
    return call.state.progress.read(_jobs(call).get(call.parameters["jobId"]))


def list_wallets(call: Call) -> Record:
    """A page of the wallets that a job has made."""
    made = call.state.bulk_wallets.get(get(call)["id"], ())
    return call.state.wallets.page(call.query, lambda wallet: wallet["id"] in made)


def _make(call: Call, job: Record) -> None:
    state, now = call.state, iso_date(call.state.clock())
    wallets = [
        add_wallet(
            state, job["network"], name=f"{job['namePrefix']} {number}", tags=list(job["tags"])
        )
        for number in range(1, job["totalCount"] + 1)
    ]
    state.bulk_wallets[job["id"]] = {wallet["id"] for wallet in wallets}
    job.update(status="Completed", completedCount=len(wallets), dateUpdated=now, dateCompleted=now)


def _jobs(call: Call) -> Collection:
    return call.state.collection("Job")


_PATH: Final = "/wallets/bulk-create"
_ONE: Final = f"{_PATH}/{{jobId}}"
ROUTES: Final = (
    Route("POST", _PATH, create, _NEW, entity="Job"),
    Route("GET", _PATH, list_page, query=PAGING),
    Route("GET", _ONE, get),
    Route("GET", f"{_ONE}/wallets", list_wallets, query=PAGING),
)
