local alicloud = require "alicloud"
local call_codes = require "alicloud.base.codes"
local dr_codes = require "alicloud.dr.codes"
local explain = require "alicloud.cli.explain_code"
local services = require "alicloud.service"

local function sources()
  local pipe <close> = assert(io.popen "find lua src -name '*.lua' -o -name '*.c' | sort")
  local list = {}
  for path in pipe:lines() do
    local file <close> = assert(io.open(path))
    list[path] = file:read "a"
  end
  return list
end

local function whole(explanation)
  for _, field in ipairs { "code", "meaning", "known", "resend", "cure" } do
    assert.is_string(explanation[field], field)
    assert.is_true(#explanation[field] > 3, field)
  end
  assert.equal(2, #explanation.next)
  assert.is_string(tostring(explanation))
end

describe("explain", function()
  it("knows every code of the services", function()
    for _, product in ipairs { "ebs", "ecs" } do
      for code in pairs(services.data(product).errors) do
        local explanation = assert(explain.code(code))
        whole(explanation)
        assert.is_string(explanation.product)
      end
    end
  end)

  it("knows every code of our own, and only codes that exist", function()
    local used = {}
    for path, text in pairs(sources()) do
      if not path:find "/codes%.lua$" then
        for code in text:gmatch '"(Client%.%u[%a%.]+)"' do used[code] = path end
      end
    end
    for code, path in pairs(used) do
      local entry = call_codes[code] or dr_codes[code]
      assert.is_truthy(entry, code .. " of " .. path .. " is in no codes.lua")
      whole(explain.code(code))
    end
    for code in pairs(call_codes) do
      assert.is_truthy(used[code], code .. " is used nowhere")
      assert.is_nil(dr_codes[code], code .. " stands twice")
    end
    for code in pairs(dr_codes) do
      assert.is_truthy(used[code], code .. " is used nowhere")
    end
  end)

  it("takes outcome and retry class from the classifier, not from a second table", function()
    local function outcome(code) return assert(explain.code(code)).outcome end
    assert.equal("unknown", outcome "RequestTimeout")
    assert.equal("unknown", outcome "InternalError")
    assert.equal("rejected", outcome "OperationDenied.InvalidStatus")
    assert.matches("safe after the wait", explain.code("Throttling.User").resend)
    assert.matches("clocks agree", explain.code("InvalidTimeStamp.Expired").resend)
    assert.matches("do not send again", explain.code("LastTokenProcessing").resend)
  end)

  it("finds the parent of a code that nobody has listed", function()
    local explanation = assert(explain.code "Throttling.Region")
    assert.equal("Throttling.Region", explanation.code)
    assert.equal(explain.code("Throttling").meaning, explanation.meaning)
  end)

  it("does not call safe what came too late, though nothing was sent", function()
    local explanation = assert(explain.code "Client.TooLate")
    assert.equal("nothing was sent, so nothing was done", explanation.known)
    assert.matches("^only with a new deadline", explanation.resend)
  end)

  it("asks whether another code was meant", function()
    local explanation, complaint = explain.code "Client.OutcomeUnknwn"
    assert.is_nil(explanation)
    assert.matches('did you mean "Client.OutcomeUnknown"', complaint)
    assert.error_matches(function() explain.code(7) end,
      "explain: code: got 7 %(number%); allowed: text")
  end)

  it("names group, region and token of an error", function()
    local explanation = explain.error(alicloud.error.new {
      kind = "api", code = "RequestTimeout", message = "m", outcome = "unknown",
      action = "FailoverDiskReplicaGroup", region = "cn-shanghai", group_id = "pg-orders",
      client_token = "tok-1",
    })
    assert.same({
      "alicloud-dr status pg-orders --region cn-shanghai",
      "alicloud-dr failover pg-orders --region cn-shanghai --client-token tok-1",
    }, explanation.next)
    assert.matches("same client token", explanation.resend)
  end)

  it("never proposes to fail over because something else is in doubt", function()
    local function steps(action, token)
      return table.concat(explain.error(alicloud.error.new {
        kind = "api", code = "RequestTimeout", message = "m", outcome = "unknown",
        action = action, region = "cn-shanghai", group_id = "pg-orders", client_token = token,
      }).next, "\n")
    end
    for _, action in ipairs { "ReprotectDiskReplicaGroup", "StartDiskReplicaGroup",
      "StopInstance", "StartReplicaGroupDrill" } do
      assert.is_nil(steps(action, "tok-1"):find("failover ", 1, true), action)
      assert.matches("^alicloud%-dr status pg%-orders %-%-region cn%-shanghai\n",
        steps(action, "t"))
    end
    assert.matches("\nalicloud%-dr drill list pg%-orders %-%-region cn%-shanghai$",
      steps("StartReplicaGroupDrill", "tok-1"))
    local next_steps = table.concat(explain.code("Client.OutcomeUnknown").next)
    assert.is_nil(next_steps:find("failover", 1, true))
  end)

  it("goes by what the error knows of itself", function()
    local explanation = explain.error(alicloud.error.new {
      kind = "network", code = "Client.Receive", message = "m", outcome = "not_sent",
      hint = "the hint of the error",
    })
    assert.equal("not_sent", explanation.outcome)
    assert.equal("safe", explanation.resend)
    assert.equal("the hint of the error", explanation.cure)
    assert.error_matches(function() explain.error {} end, "allowed: an error of this library")
  end)
end)
