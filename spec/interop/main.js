// Runs everything: node main.js RECORDED-REQUESTS.json OUR-PROVIDERS.json, with alicloud-dr on the
// PATH.
"use strict";

const fs = require("fs");
const { Emulator } = require("./emulator");
const suite = require("./suite");

const PARTS = ["./calls", "./refusals", "./story", "./shapes", "./traces", "./har"];

async function main() {
  require("./signatures").tests(JSON.parse(fs.readFileSync(process.argv[2], "utf8")));
  require("./providers").tests(JSON.parse(fs.readFileSync(process.argv[3], "utf8")));
  require("./files").tests();
  const emulator = await Emulator.start();
  try {
    for (const part of PARTS) require(part).tests(emulator);
    process.exitCode = (await suite.run()) === 0 ? 0 : 1;
  } finally {
    await emulator.stop();
  }
  // The SDKs keep connections open that nobody needs any more.
  process.exit();
}

main().catch((problem) => {
  console.error(problem.stack);
  console.log("interop: 0 passed, 1 failed");
  process.exit(1);
});
