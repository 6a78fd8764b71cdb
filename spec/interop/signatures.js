// Our client's requests, as they were recorded on the wire, signed again by the vendor's code from
// the bytes that arrived. Nothing of ours takes part in that.
"use strict";

const assert = require("assert/strict");
const { createRequire } = require("module");
const core = require("@alicloud/openapi-core").OpenApiUtil;
const util = require("@alicloud/openapi-util").default;
const PopCore = require("@alicloud/pop-core");
const { test } = require("./suite");

const httpx = createRequire(require.resolve("@alicloud/pop-core"))("httpx");

// Names and values of `a=1&b=2`, decoded. A raw plus or space would be read in two ways.
function decode(text) {
  assert.ok(!/[+ ]/.test(text), text);
  const decoded = {};
  for (const part of text.split("&").filter(Boolean)) {
    const cut = part.indexOf("=");
    const name = decodeURIComponent(part.slice(0, cut));
    assert.ok(!(name in decoded), `${name} was sent twice`);
    decoded[name] = decodeURIComponent(part.slice(cut + 1));
  }
  return decoded;
}

function read(recorded) {
  const [pathname, query = ""] = recorded.target.split("?");
  return { ...recorded, pathname, query: decode(query) };
}

// Both generations of the V3 signer, over the received method, path, query, headers and body.
function checkV3(request) {
  const { algorithm, headers, body } = request;
  const sent = { method: request.method, pathname: request.pathname, query: request.query,
    headers: { ...headers } };
  delete sent.headers.authorization;
  for (const signer of [core, util]) {
    const payload = signer.hash(Buffer.from(body, "utf8"), algorithm).toString("hex");
    assert.equal(headers["x-acs-content-sha256"], payload);
    assert.equal(headers.authorization, signer.getAuthorization(sent, algorithm, payload,
      request.access_key_id, request.access_key_secret));
  }
  assert.equal(headers["x-acs-security-token"], request.security_token);
}

// pop-core signs inside `request`; what it would send is taken before it leaves.
async function signedByPop(request, params) {
  const { Action: action, ...others } = params;
  const { request: reallySend, read: reallyRead } = httpx;
  let sent;
  httpx.request = async (url, options) => {
    sent = options.data || url.split("?")[1];
    return { req: { getHeaders: () => ({}) }, statusCode: 200, headers: {} };
  };
  httpx.read = async () => "{}";
  try {
    await new PopCore.RPCClient({
      accessKeyId: request.access_key_id, accessKeySecret: request.access_key_secret,
      endpoint: `http://${request.headers.host}`, apiVersion: params.Version,
    }).request(action, others,
      { method: request.method, formatAction: false, formatParams: false, headers: {} });
  } finally {
    Object.assign(httpx, { request: reallySend, read: reallyRead });
  }
  return decode(sent).Signature;
}

async function checkRpc(request) {
  const isForm = request.headers["content-type"] === "application/x-www-form-urlencoded";
  assert.ok(isForm || request.body === "");
  const { Signature: signature, ...signed } = { ...request.query, ...decode(request.body) };
  for (const signer of [core, util]) {
    assert.equal(signature, signer.getRPCSignature(signed, request.method,
      request.access_key_secret));
  }
  assert.equal(signature, await signedByPop(request, signed));
  assert.equal(signed.SecurityToken, request.security_token);
}

const ADDED = ["RegionId", "ClientToken"];
const COMMON = ["AccessKeyId", "Action", "Format", "SecurityToken", "SignatureMethod",
  "SignatureNonce", "SignatureVersion", "Timestamp", "Version", "Signature"];

// The parameters themselves: nested values as both generations flatten them.
function checkParameters(request) {
  const ignored = request.algorithm === "HMAC-SHA1" ? [...ADDED, ...COMMON] : ADDED;
  const sent = Object.entries(request.query).filter(([name]) => !ignored.includes(name));
  // An empty table of Lua arrives as an empty list.
  const params = Array.isArray(request.params) ? {} : request.params;
  for (const flattener of [core, util]) {
    assert.deepEqual(Object.fromEntries(sent), flattener.query(params));
  }
}

function tests(recorded) {
  for (const one of recorded) {
    test(`${one.name} is signed as the vendor's code signs it`, async () => {
      const request = read(one);
      if (request.algorithm === "HMAC-SHA1") await checkRpc(request);
      else checkV3(request);
      if (request.params) checkParameters(request);
    });
  }

  test("no nonce was used twice", () => {
    const nonces = recorded.map(read).map((request) =>
      request.headers["x-acs-signature-nonce"] || request.query.SignatureNonce
        || decode(request.body).SignatureNonce);
    assert.equal(new Set(nonces).size, recorded.length);
    assert.ok(nonces.every(Boolean));
  });
}

module.exports = { tests };
