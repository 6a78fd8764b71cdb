// The vendor's credential providers against the emulator, and what they ask for beside what ours
// ask for. Their addresses cannot be changed, so that each request is turned to the emulator.
"use strict";

const assert = require("assert/strict");
const fs = require("fs");
const os = require("os");
const path = require("path");
const { createRequire } = require("module");
const PopCore = require("@alicloud/pop-core");
const { Emulator } = require("./emulator");
const { test } = require("./suite");

const base = path.join(path.dirname(require.resolve("@alicloud/credentials")), "providers");
const httpx = createRequire(require.resolve("@alicloud/credentials"))("httpx");
const load = (name) => require(path.join(base, name)).default;

const ROLE = "acs:ram::1000000000000001:role/dr-role";

const metadata = () => load("ecs_ram_role").builder();
const oidc = (file) => load("oidc_role_arn").builder().withRoleArn(ROLE)
  .withRoleSessionName("session-1").withOIDCTokenFilePath(file)
  .withOIDCProviderArn("acs:ram::1000000000000001:oidc-provider/k8s");
const role = () => load("ram_role_arn").builder().withRoleArn(ROLE)
  .withRoleSessionName("session-1").withCredentialsProvider(load("static_ak").builder()
    .withAccessKeyId("emulator").withAccessKeySecret("emulator-secret").build());

const CASES = {
  "metadata, discovery": () => metadata(),
  "metadata, named": () => metadata().withRoleName("dr-role"),
  "metadata, without a token": () => metadata().withRoleName("dr-role"),
  "credentials URI": () => load("uri").builder().withCredentialsURI("http://localhost/credentials"),
  "AssumeRoleWithOIDC": (file) => oidc(file),
  "AssumeRoleWithOIDC in a region": (file) => oidc(file).withStsRegionId("cn-shanghai")
    .withEnableVpc(true).withDurationSeconds(900).withPolicy('{"Version":"1"}'),
  "AssumeRole": () => role(),
  "AssumeRole in a region": () => role().withStsRegionId("cn-shanghai").withDurationSeconds(900)
    .withPolicy('{"Version":"1"}').withExternalId("e x"),
};

function fields(text) {
  return Object.fromEntries(new URLSearchParams(text || ""));
}

// What two implementations must agree in: where it goes, the query, the form, and the headers that
// mean something to the service.
function essence(request) {
  const url = new URL(request.url);
  const headers = {};
  for (const [name, value] of Object.entries(request.headers)) {
    const lower = name.toLowerCase();
    if (/^x-a|^content-type$|^authorization$/.test(lower)) headers[lower] = value;
  }
  return { method: request.method, origin: url.origin, path: url.pathname,
    query: fields(url.search.slice(1)), headers, form: fields(request.body) };
}

// The vendor signs AssumeRole in the old way, we in the new one; the rest is the same.
function withoutSignature(one) {
  const query = {};
  const headers = {};
  for (const [name, value] of Object.entries(one.headers)) {
    if (name === "content-type" || name === "x-acs-credentials-provider") headers[name] = value;
  }
  return { ...one, query, headers };
}

function comparable(request, name) {
  const one = essence(request);
  if (one.query.Timestamp) one.query.Timestamp = "now";
  // They send the line end that is in the file; the token ends before it.
  if (one.form.OIDCToken) one.form.OIDCToken = one.form.OIDCToken.trimEnd();
  const token = "x-aliyun-ecs-metadata-token";
  if (one.headers[token]) one.headers[token] = "token";
  return name.startsWith("AssumeRole") && !name.includes("OIDC") ? withoutSignature(one) : one;
}

// Runs a vendor's provider; what it asked for, and what it got from the emulator.
async function run(emulator, provider, refuseToken) {
  const really = httpx.request;
  const requests = [];
  httpx.request = (url, options) => {
    requests.push({ url, method: options.method, headers: { ...options.headers },
      body: options.data });
    if (refuseToken && options.method === "PUT") return Promise.reject(new Error("no token"));
    const target = new URL(url);
    return really.call(httpx, emulator.url + target.pathname + target.search, options);
  };
  try {
    return { credentials: await provider.getCredentials(), requests };
  } finally {
    httpx.request = really;
  }
}

async function isAccepted(emulator, credentials) {
  const client = new PopCore.RPCClient({
    accessKeyId: credentials.accessKeyId, accessKeySecret: credentials.accessKeySecret,
    securityToken: credentials.securityToken, endpoint: emulator.url, apiVersion: "2021-07-30",
  });
  const answer = await client.request("DescribeDiskReplicaGroups", { RegionId: "cn-shanghai" },
    { method: "POST" });
  assert.ok(answer.RequestId);
}

function tests(ours) {
  assert.deepEqual(Object.keys(ours).sort(), Object.keys(CASES).sort());
  for (const [name, make] of Object.entries(CASES)) {
    test(`the vendor's provider asks as ours does, and the emulator serves it: ${name}`, async () => {
      const emulator = await Emulator.spawn(["--ecs-role", "dr-role"]);
      const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "interop-")), "token");
      fs.writeFileSync(file, "jwt+/=\n");
      try {
        const { credentials, requests } = await run(emulator, make(file).build(),
          name.includes("without a token"));
        assert.deepEqual(requests.map((one) => comparable(one, name)),
          ours[name].map((one) => comparable(one, name)));
        await isAccepted(emulator, credentials);
      } finally {
        fs.rmSync(path.dirname(file), { recursive: true });
        await emulator.stop();
      }
    });
  }
}

module.exports = { tests };
