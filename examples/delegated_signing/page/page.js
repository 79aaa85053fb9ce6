// The page: every button asks the server for a challenge, signs it, and sends the answer back.

import { createPasskey, signWithPasskey } from "./passkeys.js";
import { recoveryCredential, recoveryKey, signRecovery } from "./recovery_key.js";

const byId = (id) => document.getElementById(id);

async function call(method, path, body) {
  const answer = await fetch(path, {
    method, body: body && JSON.stringify(body), headers: { "content-type": "application/json" },
  }).catch(() => { throw new Error("The server does not answer. Try again in a moment."); });
  const result = await answer.json();
  if (!answer.ok) throw new Error(result.error);
  return result;
}

const actions = {
  async register({ email }) {
    const challenge = await call("POST", "/registration", { email });
    const made = await newCredentials(challenge);
    show(await call("PUT", "/registration", made.credentials));
    byId("recovery-key").value = made.recovery.text;
    return "Your account is ready. Write down the recovery key now.";
  },

  async login({ email }) {
    const challenge = await call("POST", "/login", { email });
    show(await call("PUT", "/login", await signWithPasskey(challenge)));
    return "You are signed in.";
  },

  async recover({ email, key }) {
    const old = await recoveryKey(key.trim());
    const challenge = await call("POST", "/recovery", { email, credentialId: old.credId });
    const made = await newCredentials(challenge);
    const recovery = await signRecovery(old, made.credentials);
    show(await call("PUT", "/recovery", { recovery, newCredentials: made.credentials }));
    byId("recovery-key").value = made.recovery.text;
    return "Your account is back, with a new passkey. Write down the new recovery key.";
  },

  async wallet() {
    const challenge = await call("POST", "/wallets");
    show(await call("PUT", "/action", await signWithPasskey(challenge)));
    return "The wallet is ready.";
  },

  async transfer(transfer) {
    const challenge = await call("POST", "/transfers", transfer);
    show(await call("PUT", "/action", await signWithPasskey(challenge)));
    return "The transfer is on its way.";
  },

  async grant({ walletId }) {
    show(await call("POST", "/grants", { walletId }));
    return "Your request waits for the operations desk.";
  },

  async decide({ approval, value }) {
    show(await call("PUT", `/approvals/${approval}`, { value }));
    return value === "Approved" ? "The request is approved." : "The request is denied.";
  },
};

// A passkey and a recovery key, each proving that it signed this challenge.
async function newCredentials(challenge) {
  const recovery = await recoveryKey();
  const credentials = {
    firstFactorCredential: await createPasskey(challenge),
    recoveryCredential: await recoveryCredential(recovery, challenge),
  };
  return { credentials, recovery };
}

document.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const fields = Object.fromEntries(new FormData(form, event.submitter));
  if (document.body.ariaBusy === "true") return;
  document.body.ariaBusy = "true";
  say("Working …");
  try {
    say(await actions[fields.action](fields));
    form.reset();
  } catch (error) {
    say(error.name === "NotAllowedError"
      ? "The passkey was not used: the prompt was closed, or this device has no passkey for the account. Try again, or recover the account."
      : error.message, true);
  } finally {
    document.body.ariaBusy = "false";
  }
});

function say(text, isError = false) {
  byId("status").textContent = text;
  byId("status").dataset.kind = isError ? "error" : "";
}

const FINAL = ["Confirmed", "Failed", "Rejected"];

function show({ email, approvals, wallets = [], transfers = [] }) {
  if (email && document.body.dataset.signedIn === "no") {
    document.body.dataset.signedIn = "yes";
    byId("wallets-title").focus(); // the form that had it is hidden
  }
  byId("email-shown").textContent = email;
  fill("wallets", wallets, (row, { id, address, network }) => {
    row.querySelector("b").textContent = network;
    row.querySelector("code").textContent = address;
    row.querySelector("[name=walletId]").value = id;
  });
  fill("walletId", wallets, (option, { id, address }) => Object.assign(option, { value: id, textContent: address }));
  fill("transfers", transfers, (row, { requestBody, status }) => {
    row.querySelector("b").textContent = status;
    row.querySelector("span").textContent = `${requestBody.amount} wei to`;
    row.querySelector("code").textContent = requestBody.to;
  });
  fill("approvals", approvals, (row, { id, activity }) => {
    const { requestBody } = activity.transferRequest;
    row.querySelector("span").textContent = `${requestBody.amount} wei to`;
    row.querySelector("code").textContent = requestBody.to;
    row.querySelector("[name=approval]").value = id;
  });
  byId("transfer").hidden = wallets.length === 0;
  clearTimeout(show.timer);
  const waiting = transfers.some(({ status }) => !FINAL.includes(status));
  if (waiting) show.timer = setTimeout(refresh, 1000);
}

async function refresh() {
  try {
    show(await call("GET", "/state"));
  } catch (error) {
    say(error.message, true);
  }
}

// One copy of the list's template for each entry.
function fill(id, entries, write) {
  const list = byId(id);
  const chosen = list.value;
  const template = byId(`${id}-entry`).content.firstElementChild;
  list.replaceChildren(...entries.map((entry) => {
    const row = template.cloneNode(true);
    write(row, entry);
    return row;
  }));
  if (chosen) list.value = chosen;
}

await refresh();
