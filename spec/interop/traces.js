// What we send to a collector, read with OpenTelemetry's own definitions of the protocol.
"use strict";

const assert = require("assert/strict");
const fs = require("fs");
const http = require("http");
const os = require("os");
const path = require("path");
const { spawn } = require("child_process");
const { test } = require("./suite");
const root = require("@opentelemetry/otlp-transformer/build/src/generated/root");

const Request = root.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;

const PLAYBOOK = `
return require("alicloud.dr").playbook("look", function(run)
  local group = run:group("pg-orders", { region = "cn-shanghai" })
  run:step("check", function() return group:precheck {} end)
  run:step("bad", function() error "no" end)
end)`;

const IDS = new Set(["traceId", "spanId", "parentSpanId"]);

// The protocol's JSON has ids as hexadecimal digits, the definitions know of bytes.
function withBytes(value) {
  if (Array.isArray(value)) return value.map(withBytes);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key,
    IDS.has(key) ? Buffer.from(inner, "hex").toString("base64") : withBytes(inner)]));
}

function withoutEmpty(value) {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value)
    .filter(([, inner]) => !(Array.isArray(inner) && inner.length === 0))
    .map(([key, inner]) => [key, withoutEmpty(inner)]));
}

// What the definitions do not know is gone when it has been bytes.
function check(json) {
  const object = withBytes(json);
  const message = Request.fromObject(object);
  assert.equal(Request.verify(message), null);
  const read = Request.decode(Request.encode(message).finish());
  assert.deepEqual(withoutEmpty(Request.toObject(read, { longs: String, bytes: String })),
    withoutEmpty(object));
}

function collector() {
  const bodies = [];
  const server = http.createServer((request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      bodies.push({ request, json: JSON.parse(Buffer.concat(parts).toString("utf8")) });
      response.setHeader("content-type", "application/json");
      response.end("{}");
    });
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve({ server, bodies })));
}

function run(emulator, port, words) {
  const environment = { ...process.env, ALIBABA_CLOUD_ENDPOINT: emulator.url,
    ALIBABA_CLOUD_ACCESS_KEY_ID: emulator.keyId, ALIBABA_CLOUD_REGION_ID: "cn-shanghai",
    ALIBABA_CLOUD_ACCESS_KEY_SECRET: emulator.secret,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` };
  const child = spawn("alicloud-dr", words, { env: environment, stdio: "ignore" });
  return new Promise((resolve) => child.once("exit", resolve));
}

function tests(emulator) {
  test("traces are what the protocol's definitions say", async () => {
    await emulator.reset();
    const { server, bodies } = await collector();
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), "traces-"));
    try {
      const file = path.join(directory, "look.lua");
      fs.writeFileSync(file, PLAYBOOK);
      const { port } = server.address();
      assert.equal(await run(emulator, port, ["status"]), 0);
      assert.equal(await run(emulator, port, ["failover", "pg-orders", "--max-rpo", "1s", "--yes"]),
        1);
      assert.equal(await run(emulator, port, ["run", file, "-y", "--journal",
        path.join(directory, "look.jsonl")]), 1);
      assert.equal(bodies.length, 3);
      for (const { request, json } of bodies) {
        assert.equal(request.url, "/v1/traces");
        assert.equal(request.headers["content-type"], "application/json");
        check(json);
      }
      const spans = bodies[2].json.resourceSpans[0].scopeSpans[0].spans;
      for (const name of ["alicloud-dr run", "run look", "step check", "step bad"]) {
        assert.ok(spans.some((span) => span.name === name), name);
      }
    } finally {
      fs.rmSync(directory, { recursive: true });
      server.close();
    }
  });
}

module.exports = { tests };
