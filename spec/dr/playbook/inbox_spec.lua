-- What people leave for a run: who may give orders, and what is rubbish.

local core = require "alicloud.core"
local dr = require "alicloud.dr"
local inbox = require "alicloud.dr.playbook.inbox"
local stages = require "spec.dr.playbook.stage"

local KEY = core.ed25519_public(("11"):rep(32))

local function gated()
  return dr.playbook("gated", function(run)
    run:gate("promote", { need = 1, of = { "dba" }, expires = "5m" })
  end)
end

-- Runs until the gate expires; `leave` gives the letters once it is open.
local function run_with(leave)
  local stage, left = stages.new(), {}
  local store = stage.disk:open "run"
  function store.mail() return left end
  local result, err = stage:run(gated(), { store = store, approvers = { dba = KEY },
    progress = function(event)
      if event.type == "gate_open" then left = leave(stage:state()) end
    end })
  assert.is_nil(result)
  assert.equal("Client.GateExpired", err.code)
  return stage
end

local function from(who, trusted, lines)
  return { name = "run.mail." .. who, who = who, trusted = trusted, lines = lines }
end

describe("a letter", function()
  it("switches the mode if its file may give orders, and whose it was is noted", function()
    local stage = run_with(function(state)
      return { from("lead (uid 7)", true,
        { inbox.mode_line(state.run.run_id, "ungraceful", "the CTO", "it burns") }) }
    end)
    local event = stage:events("mode")[1]
    assert.same({ "ungraceful", "the CTO", "lead (uid 7)" }, { event.mode, event.by, event.from })
  end)

  it("of a stranger switches nothing, and is told of once", function()
    local stage = run_with(function(state)
      local lines = {}
      for i = 1, 5 do
        lines[i] = inbox.mode_line(state.run.run_id, "ungraceful", "the CTO", "it burns " .. i)
      end
      return { from("uid 9", false, lines) }
    end)
    assert.same({}, stage:events "mode")
    local notes = stage:events "note"
    assert.equal(1, #notes)
    assert.matches("not obeyed: mode was left by uid 9, .*: run%.mail%.uid 9$", notes[1].text)
  end)

  it("of a stranger that is no approval fills no journal", function()
    local stage = run_with(function(state)
      local lines = {}
      for i = 1, 500 do
        lines[i] = core.encode { type = "approval", run = state.run.run_id, gate = "promote",
          by = "dba", at = i }
      end
      return { from("uid 9", false, lines) }
    end)
    assert.is_true(#stage:events "note" <= 20)
  end)

  it("with anything in it breaks nothing and switches nothing", function()
    local odd = { "", "x", -1, 1.5, true, false, core.null, { 1 }, { x = { y = {} } }, 1e300,
      ("x"):rep(5000), "a\nb", "\27[2J" }
    local fields = { "type", "run", "mode", "by", "why", "gate", "at", "signature", "decision",
      "digest", "who" }
    local stage = run_with(function(state)
      local id = state.run.run_id
      local lines = { "", "{", "[]", "null", "5", '"x"', "\0\xff", ("["):rep(999) }
      for _, base in ipairs {
        { type = "mode", run = id, mode = "ungraceful", by = "x" },
        { type = "approval", run = id, gate = "promote", by = "dba", at = 1,
          signature = ("ab"):rep(64), decision = state.gates.promote.asked },
      } do
        for _, field in ipairs(fields) do
          for _, value in ipairs(odd) do
            local letter = {}
            for name, given in pairs(base) do letter[name] = given end
            letter[field] = value
            if not (base.type == "mode" and field == "why") then
              lines[#lines + 1] = core.encode(letter)
            end
          end
        end
      end
      return { from("uid 7", true, lines) }
    end)
    assert.same({}, stage:events "mode")
    assert.same({}, stage:events "approval")
  end)
end)
