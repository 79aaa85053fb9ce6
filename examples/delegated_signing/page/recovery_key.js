// The recovery key: an Ed25519 key that its owner writes down, and that never leaves the page.

import { decoded, encoded } from "./passkeys.js";

const PKCS8_OF_ED25519 = Uint8Array.of(48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32);
const bytesOf = (text) => new TextEncoder().encode(text);
const sha256 = (bytes) => crypto.subtle.digest("SHA-256", bytes);
const hex = (bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");

// The key that was written down as text, or a new one.
export async function recoveryKey(text = encoded(crypto.getRandomValues(new Uint8Array(32)))) {
  const pkcs8 = Uint8Array.of(...PKCS8_OF_ED25519, ...decoded(text));
  const key = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]);
  const { x } = await crypto.subtle.exportKey("jwk", key);
  const spki = Uint8Array.of(48, 42, 48, 5, 6, 3, 43, 101, 112, 3, 33, 0, ...decoded(x));
  const pem = `-----BEGIN PUBLIC KEY-----\n${btoa(String.fromCharCode(...spki))}\n-----END PUBLIC KEY-----`;
  return { text, key, pem, credId: encoded(await sha256(spki)) };
}

// Prove possession of a new recovery key; returns a credential to register.
export async function recoveryCredential({ key, pem, credId }, challenge) {
  const clientData = bytesOf(JSON.stringify({ type: "key.create", challenge: challenge.challenge }));
  const proof = JSON.stringify({ clientDataHash: hex(await sha256(clientData)), publicKey: pem });
  const signature = hex(await crypto.subtle.sign("Ed25519", key, bytesOf(proof)));
  const attestation = JSON.stringify({ publicKey: pem, signature });
  return {
    credentialKind: "RecoveryKey",
    credentialInfo: { credId, clientData: encoded(clientData), attestationData: encoded(bytesOf(attestation)) },
  };
}

// Vouch for new credentials; what is signed is their very JSON.
export async function signRecovery({ key, credId }, newCredentials) {
  const challenge = encoded(bytesOf(JSON.stringify(newCredentials)));
  const clientData = bytesOf(JSON.stringify({ type: "key.get", challenge }));
  const signature = await crypto.subtle.sign("Ed25519", key, clientData);
  return {
    kind: "RecoveryKey",
    credentialAssertion: { credId, clientData: encoded(clientData), signature: encoded(signature) },
  };
}
