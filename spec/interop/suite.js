// Runs properties one after the other and reports as every other run does.
"use strict";

const tests = [];

function test(name, body) {
  tests.push({ name, body });
}

// Prints what failed, then the count; the number of failures.
async function run() {
  let failed = 0;
  for (const { name, body } of tests) {
    try {
      await body();
    } catch (problem) {
      failed += 1;
      console.log(`failed: ${name}\n${problem.stack}\n`);
    }
  }
  console.log(`interop: ${tests.length - failed} passed, ${failed} failed`);
  return failed;
}

module.exports = { test, run };
