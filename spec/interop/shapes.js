// What commands print with --json, held against the JSON Schema that the manual gives, by Ajv.
"use strict";

const assert = require("assert/strict");
const Ajv = require("ajv/dist/2020");
const { spawnSync } = require("child_process");
const { test } = require("./suite");

function run(emulator, words) {
  const env = { ...process.env, ALIBABA_CLOUD_ENDPOINT: emulator.url,
    ALIBABA_CLOUD_ACCESS_KEY_ID: emulator.keyId, ALIBABA_CLOUD_REGION_ID: "cn-shanghai",
    ALIBABA_CLOUD_ACCESS_KEY_SECRET: emulator.secret };
  return spawnSync("alicloud-dr", words, { env, encoding: "utf8" }).stdout;
}

const LINES = ["status", "status pg-nope", "readiness pg-orders", "precheck pg-orders",
  "precheck pg-orders pg-payments",
  "failover pg-orders --yes --max-rpo 1s", "drill list", "call ebs:DescribeRegions",
  "dependencies", "whoami", "explain Throttling", "explain Throtling", "playbooks",
  "plan failover group=pg-orders region=cn-shanghai", "policy drill group=pg-orders",
  "manual", "version", "runs /nonexistent", "report /nonexistent.jsonl"];

function tests(emulator) {
  test("what commands print with --json is what the schema of the manual says", async () => {
    await emulator.reset();
    const ajv = new Ajv({ strict: true, allowUnionTypes: true });
    const schema = JSON.parse(run(emulator, ["manual", "json", "--schema"]));
    ajv.addSchema(schema, "printed");
    for (const line of LINES) {
      const [command, ...rest] = line.split(" ");
      const validate = ajv.getSchema(`printed#/$defs/command_${command}`);
      const object = JSON.parse(run(emulator, [command, ...rest, "--json"]));
      assert.ok(validate(object), `${line}: ${ajv.errorsText(validate.errors)}`);
      delete object.schema;
      assert.ok(!validate(object), line);
    }
  });
}

module.exports = { tests };
