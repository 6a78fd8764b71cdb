-- What a run has seen, in an emulator of its own and in a rehearsal.

local desks = require "spec.cli.desk"
local process = require "spec.process"
local scratch = require "spec.scratch"

-- The file of a run against an emulator that differs.
local function seen_file()
  local directory = scratch.directory()
  local desk = desks.new { assume = { page_bounds = "clamp", describe_unknown = "not_found" } }
  local ran = desk:run("conformance", "--region", "cn-shanghai", "--output",
    directory .. "/seen.json")
  assert.equal(1, ran.code, ran.out .. ran.err)
  return directory .. "/seen.json"
end

describe("--assume-from", function()
  it("makes an emulator that a run finds as it found the service", function()
    local file = seen_file()
    local emulator <close> = process.start_emulator { arguments = "--assume-from '" .. file .. "'" }
    local output = emulator:shell(("cd '%s' && alicloud-dr conformance --json"):format(
      scratch.directory()))
    assert.matches('"describe_unknown":"not_found"', output)
    assert.matches('"page_bounds":"clamp"', output)
    assert.matches('"exit":1', output)
  end)

  it("is beaten by what is typed", function()
    local file = seen_file()
    local emulator <close> = process.start_emulator {
      arguments = "--assume page_bounds=refuse --assume-from '" .. file .. "'" }
    local output = emulator:shell(("cd '%s' && alicloud-dr conformance --json"):format(
      scratch.directory()))
    assert.matches('"describe_unknown":"not_found"', output)
    assert.matches('"page_bounds":"refuse"', output)
  end)

  it("is refused with the field that is wrong", function()
    local file = scratch.file('{"format":"alicloud-dr conformance 1","assume":{"nothing":1}}',
      ".json")
    local ran = desks.new():run("emulator", "--assume-from", file, "--until-eof")
    assert.equal(2, ran.code)
    assert.truthy(ran.err:find("--assume-from: " .. file .. ": field assume: ", 1, true), ran.err)
    ran = desks.new():run("explore", "failover", "group=pg-orders", "--region", "cn-shanghai",
      "--assume-from", file, "--seeds", "1")
    assert.equal(2, ran.code)
    assert.truthy(ran.err:find("--assume-from: field assume: ", 1, true), ran.err)
  end)

  it("is what a rehearsal assumes, and is in the command that repeats it", function()
    local file = seen_file()
    local output = process.sh(("alicloud-dr explore failover group=pg-orders fence=no "
      .. "--region cn-shanghai --seeds 3 --jobs 1 --assume-from '%s'"):format(file))
    assert.matches("✔ 3 seeds, ", output)
  end)
end)
