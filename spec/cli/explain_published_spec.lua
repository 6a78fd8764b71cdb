-- Every code that anybody has published is explained: list and sources are in a vector file.

local core = require "alicloud.core"
local explain = require "alicloud.cli.explain_code"
local services = require "alicloud.service"

local function read(path)
  local file <close> = assert(io.open(path))
  return assert(core.decode(file:read "a"))
end

local PUBLISHED, API = read "spec/vectors/codes.json", read "spec/vectors/api/ebs.json"

-- What the line about the fault has to speak of.
local WORDS = {
  request = "^the request", account = "account", state = "^the state", clock = "clock",
  secret = "secret", credentials = "credentials", rights = "rights", repeats = "repeats",
  token = "token", ["earlier request"] = "earlier request", service = "^the service$",
}

local KNOWN = { rejected = "nothing was done", unknown = "may have been done" }

local function entries(code)
  local list = {}
  for _, product in ipairs { "ebs", "ecs" } do
    list[#list + 1] = services.data(product).errors[code]
  end
  return list
end

local function has_status(code, status)
  for _, entry in ipairs(entries(code)) do
    if entry.status == status or entry.also == status then return true end
  end
  return false
end

describe("explain", function()
  it("knows every published code, its status, whose fault it is, and its effect", function()
    for _, fact in ipairs(PUBLISHED.codes) do
      local code = fact.code
      assert.is_string(PUBLISHED.sources[fact.source], code)
      assert.is_true(#entries(code) > 0, code .. " is in no table")
      if fact.status then assert.is_true(has_status(code, fact.status), code) end
      local explanation = assert(explain.code(code))
      assert.equal(fact.effect, explanation.outcome, code)
      assert.is_truthy(explanation.fault:find(WORDS[fact.fault]), code .. ": " .. explanation.fault)
      local known = explanation.known
      assert.is_truthy(known:find(KNOWN[fact.effect]), code .. ": " .. known)
      assert.is_true(#explanation.cure > 10, code)
    end
  end)

  it("knows every code of the replication operations by itself, not by a parent", function()
    for action, operation in pairs(API.operations) do
      for _, wrong in ipairs(operation.errors or {}) do
        assert.is_true(#entries(wrong.code) > 0, action .. " " .. wrong.code)
        local explanation = assert(explain.code(wrong.code))
        assert.is_string(explanation.fault)
        assert.is_number(explanation.status)
      end
    end
  end)

  it("says of a disk in a pair that it is in a pair, not how it is attached", function()
    local text = tostring(explain.code "IncorrectDiskStatus.InReplication")
    assert.matches("^IncorrectDiskStatus.InReplication %(HTTP 400%)", text)
    assert.matches("in a replication pair", text)
    assert.is_nil(text:find("Available", 1, true))
  end)

  it("takes both spellings of the limit for throttling", function()
    for _, code in ipairs { "BLOCK.LimitedRequest", "BLOCK.LimitedRquest" } do
      local explanation = assert(explain.code(code))
      assert.equal(429, explanation.status)
      assert.matches("safe after the wait", explanation.resend)
    end
  end)

  it("does not say that nothing was done where a token was used before", function()
    for _, code in ipairs { "IdempotentParameterMismatch",
      "InvalidIdempotenceParameter.Mismatch" } do
      local explanation = assert(explain.code(code))
      assert.matches("the one before it under the token may have been done, unless it was refused",
        explanation.known)
      assert.matches("new token", explanation.cure)
      assert.matches("^never with this token", explanation.resend)
    end
  end)
end)
