-- Thousands of failovers under random troubles, on the virtual clock. First that the invariants
-- hold, then that the sweep would notice if a safeguard were missing: each safeguard is taken out
-- in turn, from outside, and some seed must complain.

local intents = require "alicloud.dr.model.intent"
local mutants = require "spec.dr.change.mutants"
local phases = require "alicloud.dr.model.phase"
local precheck = require "alicloud.dr.model.precheck"
local snapshots = require "alicloud.dr.model.snapshot"
local sweep = require "spec.dr.change.sweep"
local pollers = require "alicloud.dr.change.poller"

local replace = mutants.replace

local SEEDS = 3000

local function replace_token_each_time()
  local counter = 0
  local function next_token(_, key)
    if key ~= "client_token" then return nil end
    counter = counter + 1
    return "token-" .. counter
  end
  replace(intents, "new", function(new)
    return function(snapshot, token)
      local intent = new(snapshot, token)
      intent.client_token = nil
      return setmetatable(intent, { __index = next_token })
    end
  end)
end

local MUTANTS = mutants.with_common {
  ["success on the group alone"] = { "S3", function()
    replace(phases, "of", mutants.on_the_group_alone)
  end },

  ["success on cut pair lists"] = { "S3", function()
    replace(snapshots, "pair_set_fault", function() return function() return nil end end)
    replace(snapshots, "id_difference", function() return function() return nil end end)
  end },

  ["success as soon as the call is accepted"] = { "S3", function()
    replace(pollers, "new", function(new)
      return function(options)
        local poller = new(options)
        poller.until_completed = function(self)
          self:look(math.huge)
          self.last = self.last or { pairs = {} }
          return "completed"
        end
        return poller
      end
    end)
  end },

  ["success on an unknown word"] = { "S3", function()
    replace(phases, "of", function(of)
      return function(transition, intent, snapshot)
        if snapshot.status == "levitating" then return "completed", "levitating" end
        return of(transition, intent, snapshot)
      end
    end)
  end },

  ["a new token for each send"] = { "S4", replace_token_each_time },

  ["a new token for each send, seen as a second effect"] = { "S1", replace_token_each_time },

  ["sending at the primary site"] = { "S2", function()
    replace(precheck, "evaluate", function(evaluate)
      return function(snapshot, max_rpo)
        local report = evaluate(snapshot, max_rpo)
        report.ok = true
        return report
      end
    end)
  end },

  ["no eye for a changed direction"] = { "S2 wrong direction", function()
    replace(intents, "difference", function() return function() return nil end end)
    replace(snapshots, "same_place", function() return function() return true end end)
  end },
}

describe("a sweep of random troubles", function()
  after_each(mutants.restore)

  it("finds no violation of the invariants S1 to S5, S9 and S11", function()
    local violations, seen = mutants.explore(sweep, SEEDS)
    assert.same({}, violations)
    -- A sweep that never gets anywhere proves nothing.
    for _, name in ipairs { "failovered", "already_failovered", "Client.OutcomeUnknown unknown",
      "Client.Superseded unknown", "Client.FailoverFailed accepted" } do
      assert.is_true((seen[name] or 0) >= 30, name .. ": " .. tostring(seen[name]))
    end
  end)

  it("gives the same run for the same seed", function()
    local _, first = sweep.run(4711)
    local _, second = sweep.run(4711)
    local function trace(run)
      local lines = {}
      for _, event in ipairs(run.bench.events) do
        lines[#lines + 1] = ("%s %s %s"):format(event.elapsed, event.event, event.client_token)
      end
      return lines
    end
    assert.same(trace(first), trace(second))
  end)

  it("says by name that a safeguard is no longer there", function()
    assert.has_error(function() replace(intents, "gone", function() end) end,
      "there is no gone to replace")
  end)

  for name, mutant in pairs(MUTANTS) do
    it("would notice: " .. name, function()
      assert.is_string(mutants.noticed(sweep, SEEDS, mutant))
    end)
  end
end)
