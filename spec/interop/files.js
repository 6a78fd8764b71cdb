// The vendor's parsers of its own files read what ours reads (spec/credentials/files_spec.lua), and
// agree, or differ as the row says.
"use strict";

const assert = require("assert/strict");
const fs = require("fs");
const os = require("os");
const path = require("path");
const { createRequire } = require("module");
const { test } = require("./suite");

const base = path.join(path.dirname(require.resolve("@alicloud/credentials")), "providers");
const httpx = createRequire(require.resolve("@alicloud/credentials"))("httpx");
const PROVIDERS = { "config.json": ["cli_profile", ".aliyun/config.json"],
  credentials: ["profile", ".alibabacloud/credentials"] };

const rows = JSON.parse(fs.readFileSync(path.join(__dirname, "../vectors/credentials/files.json")));

// What is asked for, of whom and as whom. Nobody answers.
function essence(url, options) {
  const target = new URL(url);
  const asked = { host: target.host };
  const form = new URLSearchParams(options.data || "");
  const query = target.searchParams;
  if (form.get("RoleArn")) asked.role = form.get("RoleArn");
  if (query.get("AccessKeyId")) asked.access_key_id = query.get("AccessKeyId");
  if (query.get("SecurityToken")) asked.security_token = query.get("SecurityToken");
  return asked;
}

async function outcome(provider) {
  const really = httpx.request;
  let asks;
  httpx.request = (url, options) => {
    asks = asks || essence(url, options);
    return Promise.reject(new Error("nobody answers"));
  };
  try {
    const keys = await provider().getCredentials();
    const gives = { access_key_id: keys.accessKeyId, access_key_secret: keys.accessKeySecret };
    if (keys.securityToken) gives.security_token = keys.securityToken;
    return { gives };
  } catch (problem) {
    return asks ? { asks } : { fails: true };
  } finally {
    httpx.request = really;
  }
}

// A home of its own, and nothing of this environment's.
async function read(row) {
  const [name, place] = PROVIDERS[row.file];
  const home = fs.mkdtempSync(path.join(os.tmpdir(), "interop-"));
  fs.mkdirSync(path.join(home, path.dirname(place)));
  fs.writeFileSync(path.join(home, place), row.text);
  Object.assign(process.env, row.env);
  try {
    return await outcome(() => {
      const builder = require(path.join(base, name)).default.builder();
      if (row.profile) builder.withProfileName(row.profile);
      const provider = builder.build();
      provider.homedir = home;
      return provider;
    });
  } finally {
    for (const variable of Object.keys(row.env || {})) delete process.env[variable];
    fs.rmSync(home, { recursive: true });
  }
}

function expected(row) {
  const { gives, asks } = row.vendor || row;
  if (gives) return { gives };
  return asks ? { asks } : { fails: true };
}

function tests() {
  for (const row of rows) {
    const differs = row.vendor ? `, and differs: ${row.why}` : "";
    test(`the vendor's parser reads ${row.file} (${row.name})${differs}`, async () => {
      assert.deepEqual(await read(row), expected(row));
    });
  }
}

module.exports = { tests };
