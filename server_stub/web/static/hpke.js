// HPKE (RFC 9180) base mode, X25519, HKDF-SHA-256, AES-256-GCM, by WebCrypto; and a reviewer's own key file, which is read
// in this browser and sent nowhere. What photos and sealed answers are opened with.
"use strict";

const utf8 = new TextEncoder();
const LABEL = utf8.encode("HPKE-v1");
const KEM = new Uint8Array([75, 69, 77, 0, 32]); // "KEM", 0x0020
const SUITE = new Uint8Array([72, 80, 75, 69, 0, 32, 0, 1, 0, 2]); // "HPKE", 0x0020, 0x0001, 0x0002
const PKCS8 = hex("302e020100300506032b656e04220420"); // what stands before the 32 bytes of an X25519 key

function hex(text) {
  return Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16));
}

function toHex(bytes) {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function base64(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function join(...parts) {
  const found = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    found.set(part, at);
    at += part.length;
  }
  return found;
}

async function hmac(key, data) {
  const raw = key.length ? key : new Uint8Array(32); // an empty key is one of zeros (RFC 2104)
  const made = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", made, data));
}

function extract(suite, salt, label, data) {
  return hmac(salt, join(LABEL, suite, utf8.encode(label), data));
}

async function expand(suite, secret, label, info, length) {
  const size = new Uint8Array([length >> 8, length & 255]);
  const block = join(size, LABEL, suite, utf8.encode(label), info, new Uint8Array([1])); // 32 bytes at most: one block
  return (await hmac(secret, block)).slice(0, length);
}

async function unseal(sealed, secret, publicKey, info) {
  const enc = sealed.slice(0, 32);
  const mine = await crypto.subtle.importKey("pkcs8", join(PKCS8, secret), { name: "X25519" }, false, ["deriveBits"]);
  const theirs = await crypto.subtle.importKey("raw", enc, { name: "X25519" }, false, []);
  const shared = new Uint8Array(await crypto.subtle.deriveBits({ name: "X25519", public: theirs }, mine, 256));
  const none = new Uint8Array(0);
  const prk = await extract(KEM, none, "eae_prk", shared);
  const kem = await expand(KEM, prk, "shared_secret", join(enc, publicKey), 32);
  const context = join(
    new Uint8Array([0]),
    await extract(SUITE, none, "psk_id_hash", none),
    await extract(SUITE, none, "info_hash", info)
  );
  const base = await extract(SUITE, kem, "secret", none);
  const key = await expand(SUITE, base, "key", context, 32);
  const nonce = await expand(SUITE, base, "base_nonce", context, 12);
  return decrypt(key, nonce, sealed.slice(32), none);
}

async function decrypt(raw, nonce, data, aad) {
  const key = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["decrypt"]);
  return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv: nonce, additionalData: aad }, key, data));
}

function reviewer(text) {
  const [vkey, secret] = text.split("\n");
  const found = /^[^\s+]{1,255}\+[0-9a-f]{8}\+([A-Za-z0-9+/]+={0,2})$/.exec(vkey || "");
  if (!found || !/^[0-9a-f]{64}$/.test(secret || "")) throw new Error("key");
  return { vkey, secret: hex(secret), publicKey: base64(found[1]).slice(14) }; // 0xff, "trueseat-hpke", 32 bytes
}
