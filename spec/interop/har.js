// Our HAR held against the schema of the format, and played by a real browser: Chromium without a
// head takes the answers of a recording from it, request by request.
"use strict";

const assert = require("assert/strict");
const fs = require("fs");
const os = require("os");
const path = require("path");
const { spawnSync } = require("child_process");
const Ajv = require("ajv").default;
const schemas = require("har-schema");
const { chromium } = require("playwright-core");
const { test } = require("./suite");

const BROWSERS = ["chromium", "chromium-browser", "google-chrome"];
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];

function browser() {
  for (const name of BROWSERS) {
    const found = spawnSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" });
    if (found.status === 0) return found.stdout.trim();
  }
  return null;
}

function validator() {
  const ajv = new Ajv({ strict: false, formats: {
    uri: (text) => URL.canParse(text), ipv4: true, ipv6: true,
    "date-time": (text) => !Number.isNaN(Date.parse(text)),
  } });
  ajv.addMetaSchema(require("ajv/dist/refs/json-schema-draft-06.json"));
  for (const schema of Object.values(schemas)) ajv.addSchema(schema);
  return ajv.getSchema("har.json#");
}

// Commands that are recorded: readings, a change, a refusal, and a host that does not answer.
function record(emulator) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "har-"));
  const file = path.join(directory, "night.jsonl");
  const env = { ...process.env, ALIBABA_CLOUD_ACCESS_KEY_ID: emulator.keyId,
    ALIBABA_CLOUD_ACCESS_KEY_SECRET: emulator.secret, XDG_CACHE_HOME: directory };
  const call = ["call", "--region", "cn-shanghai", "--record", file];
  for (const [endpoint, words] of [
    [emulator.url, ["status", "--region", "cn-shanghai", "--record", file]],
    [emulator.url, [...call, "ebs:FailoverDiskReplicaGroup", "ReplicaGroupId=pg-none", "-y"]],
    ["http://127.0.0.1:1", [...call, "ebs:DescribeRegions"]],
  ]) {
    spawnSync("alicloud-dr", [...words, "--endpoint", endpoint], { env });
  }
  const har = path.join(directory, "night.har");
  const made = spawnSync("alicloud-dr", ["record", file, "--har", har], { encoding: "utf8" });
  assert.equal(made.status, 0, made.stderr);
  return { directory, har, json: JSON.parse(fs.readFileSync(har, "utf8")) };
}

// What the page gets for each entry, in their order.
async function play(page, entries) {
  return page.evaluate(async (list) => {
    const seen = [];
    for (const [url, method] of list) {
      try {
        const answer = await fetch(url, { method });
        seen.push([answer.status, await answer.text()]);
      } catch (problem) {
        seen.push([0, ""]);
      }
    }
    return seen;
  }, entries.map(({ request }) => [request.url, request.method]));
}

exports.tests = (emulator) => {
  test("HAR of a recording follows the schema of HAR 1.2", () => {
    const { directory, json } = record(emulator);
    fs.rmSync(directory, { recursive: true });
    const validate = validator();
    assert.ok(validate(json), JSON.stringify(validate.errors, null, 1));
    assert.ok(json.log.entries.length >= 4);
    assert.equal(json.log.entries.at(-1).response.status, 0);
    delete json.log.entries[0].request.url;
    assert.ok(!validate(json), "the schema demands a URL");
  });

  const executable = browser();
  if (!executable && !process.env.CI) return;
  test("Chromium takes the answers of a recording from its HAR", async () => {
    assert.ok(executable, "no Chromium is installed");
    const { directory, har, json } = record(emulator);
    const chrome = await chromium.launch({ executablePath: executable, args: FLAGS });
    try {
      const page = await chrome.newPage();
      await page.routeFromHAR(har, { notFound: "abort" });
      const origin = new URL(json.log.entries[0].request.url).origin;
      await page.route(`${origin}/page`, (route) => route.fulfill({ body: "<p>page</p>" }));
      await page.goto(`${origin}/page`);
      // The last one has no answer, and its host is none that a browser asks.
      const answered = json.log.entries.filter(({ response }) => response.status > 0);
      assert.deepEqual(await play(page, answered),
        answered.map(({ response }) => [response.status, response.content.text]));
      assert.ok(answered.some(({ response }) => response.status === 404));
    } finally {
      await chrome.close();
      fs.rmSync(directory, { recursive: true });
    }
  });
};
