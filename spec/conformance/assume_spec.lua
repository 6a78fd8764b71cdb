-- The file of a run: what it says, and an emulator that assumes it.

local assumed = require "alicloud.conformance.assume"
local bench = require "spec.conformance.bench"
local core = require "alicloud.core"
local reports = require "alicloud.conformance.report"

local FLIPS = { page_bounds = "clamp", describe_unknown = "not_found", signature_status = 403,
  site_default = "either" }

local function text_of(changes)
  local file = { format = assumed.FORMAT, tool = "spec", regions = core.array {}, started = "",
    tier = "read", assume = {}, messages = {}, timings = {}, unknown = core.array {},
    evidence = core.array {} }
  for name, value in pairs(changes) do file[name] = value end
  return core.encode(file)
end

-- What is wrong, and what is said of it.
local FAULTS = {
  { "{", "JSON: " },
  { "[]", "it is no JSON object" },
  { text_of { format = "x" }, 'field format: got "x"; allowed: "alicloud-dr conformance 1"' },
  { text_of { more = 1 }, 'field "more": is not known; allowed: account, assume, ' },
  { text_of { assume = 5 }, "field assume: got 5 (number); allowed: an object" },
  { text_of { assume = { page_bounds = "x" } }, "field assume: page_bounds" },
  { text_of { assume = { nothing = "x" } }, "field assume: nothing" },
  { text_of { messages = { Odd = 5 } },
    "field messages.Odd: got 5 (number); allowed: an object with status and text" },
  { text_of { messages = { Odd = { status = 200, text = "" } } },
    "field messages.Odd.status: got 200 (number); allowed: a whole number from 400 to 599" },
  { text_of { messages = { Odd = { status = 400, text = "a\nb" } } },
    "field messages.Odd.text: got " },
  { text_of { timings = { nothing = 1 } }, "field timings.nothing: is not known; allowed: attach" },
  { text_of { timings = { drill = { median = -1 } } },
    "field timings.drill: got -1 (number); allowed: seconds of at least 0" },
}

describe("the file of a conformance run", function()
  it("makes an emulator that is as what was seen, and is found as assumed by itself", function()
    local seen = bench.run { assume = FLIPS, tiers = { "read", "drill" },
      lab = { drill = "pg-orders" } }
    local file = reports.file(seen, "spec")
    local read = assert(assumed.read(core.encode(file)))
    for name, value in pairs(FLIPS) do assert.equal(value, read.assume[name], name) end
    assert.equal("invalid_status", read.assume.clear_busy)
    assert.is_true(read.timings.drill > 0)
    local again = bench.run { assume = read.assume, messages = read.messages,
      world = assumed.in_world(bench.WORLD, read.timings) }
    assert.same(bench.differences(seen), bench.differences(again))
  end)

  it("gives an emulator the texts and statuses that were met", function()
    local read = assert(assumed.read(text_of { messages = {
      ["InvalidAccessKeyId.NotFound"] = { status = 404, text = "Specified key is odd." } } }))
    local result = bench.run { messages = read.messages }
    assert.equal("Specified key is odd.", result.messages["InvalidAccessKeyId.NotFound"].text)
  end)

  it("has no id, name or key of the account", function()
    local world = { regions = bench.WORLD.regions, groups = { {
      id = "pg-canary1", name = "canary2", pairs = 2, source = "cn-hangzhou/cn-hangzhou-g",
      destination = "cn-shanghai/cn-shanghai-b", status = "normal", recover_point_age = 60,
      tags = { canary3 = "canary4" } } } }
    local result = bench.run { world = world, tiers = { "read", "drill" },
      lab = { drill = "pg-canary1" } }
    local text = core.encode(reports.file(result, "spec"))
    assert.is_nil(text:find "canary")
    assert.is_nil(text:find("emulator-secret", 1, true))
    assert.is_nil(text:find("\"emulator\"", 1, true))
    assert.is_nil(text:find "%f[%d]%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%f[%D]")
    assert.truthy(text:find('"pg-001"', 1, true))
  end)

  for _, fault in ipairs(FAULTS) do
    it("is refused where it is wrong: " .. fault[2], function()
      local read, problem = assumed.read(fault[1])
      assert.is_nil(read)
      assert.equal(fault[2], problem:sub(1, #fault[2]))
    end)
  end
end)
