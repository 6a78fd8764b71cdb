-- Operations × (emulated, each documented error from a real cause), with no hole.

local caller = require "spec.emulator.caller"
local dkjson = require "dkjson"
local cases = require "spec.emulator.operations.cases"
local causes = require "spec.emulator.operations.causes"
local operations = require "alicloud.emulator.operations"
local service = require "alicloud.service.ebs"
local sorted = require "alicloud.base.tables"

local function run(operation, case)
  local probe = caller.new { world = case.world, assume = case.assume }
  if case.prepare then case.prepare(probe, operation) end
  local before = #probe.emu:ledger()
  local body, status = probe:call(operation, case.params, case.changes)
  return body.Code or "ok", status, #probe.emu:ledger() - before, body.Message
end

local function read_texts()
  local file <close> = assert(io.open "spec/vectors/api/error_texts.json")
  return assert(dkjson.decode(file:read "a"))
end

local TEXTS = read_texts()

-- The published text as a pattern: names of parameters stand where it has %s.
local function published_text(operation, code)
  local own = TEXTS.ebs_operations[operation]
  local entry = own and own[code] or TEXTS.ebs[code]
  local literal = entry[2]:gsub("[%^%$%(%)%.%[%]%*%+%-%?]", "%%%0"):gsub("%%s", "[%%w.]+")
  return "^" .. literal .. "$"
end

-- The tables of tag operations give this one code another status than the others.
local function documented_status(operation, code)
  local other = code == "OperationDenied.QuotaExceed"
    and (operation:find "[Tt]ag" or operation == "ChangeResourceGroup")
  return other and 400 or service.errors[code].status
end

describe("every operation of block storage", function()
  it("is emulated, and no other", function()
    assert.same(sorted.keys(service.operations), operations.names "2021-07-30")
    assert.same(sorted.keys(service.operations), sorted.keys(cases.valid))
  end)

  for _, operation in ipairs(sorted.keys(cases.valid)) do
    it("succeeds when nothing is the matter: " .. operation, function()
      local code, status = run(operation, cases.valid[operation]())
      assert.equal("ok", code)
      assert.equal(200, status)
    end)
  end
end)

for _, operation in ipairs(sorted.keys(service.operations)) do
  describe(operation .. " is refused, for a reason in the world,", function()
    for _, code in ipairs(service.operations[operation].errors) do
      it("with " .. code, function()
        local spoil = causes.find(operation, code)
        assert.is_function(spoil, "no cause is known")
        local case = cases.valid[operation]()
        spoil(case)
        local got, status, effects, message = run(operation, case)
        assert.equal(code, got)
        assert.matches(published_text(operation, code), message)
        assert.equal(documented_status(operation, code), status)
        assert.equal(0, effects)
      end)
    end
  end)
end
