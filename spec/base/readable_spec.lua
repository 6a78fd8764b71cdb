-- What we return shows itself when it is printed, and stays plain data.

local after = require "spec.dr.after_lab"
local core = require "alicloud.core"
local dr = require "alicloud.dr"
local readable = require "alicloud.base.readable"
local stages = require "spec.dr.playbook.stage"

describe("what is printed", function()
  it("shows itself and what it holds; objects, lists and errors stay as they are", function()
    local object = setmetatable({}, { __tostring = function() return "mine" end })
    local value = { a = { b = 1 }, list = core.array {}, object = object }
    value.own = value
    assert.equal(value, (readable.printed(value)))
    assert.equal("{ a = { b = 1 }, list = {}, object = mine, own = { … } }", tostring(value))
    assert.equal("{ b = 1 }", tostring(value.a))
    assert.is_true(core.is_array(value.list))
    assert.equal("mine", tostring(object))
    local nothing, err = readable.printed(nil, "why")
    assert.same({ nil, "why" }, { nothing, err })
    assert.equal('{"a":{"b":1},"list":[1]}',
      core.encode(readable.printed { a = { b = 1 }, list = { 1 } }))
  end)

  it("masks a session token", function()
    assert.not_matches("canary", tostring(readable.printed {
      headers = { ["x-acs-security-token"] = "canary" } }))
  end)

  it("is a snapshot, a report, a result of a group and of a run", function()
    local bench = after.new()
    local group = bench:group()
    local function shows(value, expected)
      local text = tostring(value)
      assert.matches("^{", text)
      assert.not_matches("0x%x+", text)
      assert.truthy(text:find(expected, 1, true), text)
      return value
    end
    local snapshot = shows(assert(group:observe()), 'status = "normal"')
    shows(snapshot.pairs[1], 'status = "normal"')
    shows(assert(group:precheck()), "findings = ")
    shows(assert(group:preflight { move = "failover" }), "findings = ")
    shows(assert(group:drill()), 'outcome = "drilled"')
    shows(assert(group:stop()), 'outcome = "stopped"')
    shows(assert(group:start()), 'outcome = "started"')
    shows(assert(dr.groups(bench.client, { region = "cn-shanghai" }))[1], 'role = "secondary"')
    shows(dr.readiness { group }, "verdict = ")
    shows(assert(group:failover()), 'outcome = "failovered"')
    shows(assert(stages.new():run(function(run)
      run:step("one", function() return 1 end)
    end)), 'status = "completed"')
  end)
end)
