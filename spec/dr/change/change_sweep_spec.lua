-- Thousands of changes under random troubles. First that the invariants hold, then that the sweep
-- would notice if a safeguard were missing.

local mutants = require "spec.dr.change.mutants"
local phases = require "alicloud.dr.model.phase"
local pollers = require "alicloud.dr.change.poller"
local snapshots = require "alicloud.dr.model.snapshot"
local sweep = require "spec.dr.change.change_sweep"
local transitions = require "alicloud.dr.model.transition"

local replace = mutants.replace

local SEEDS = 2000

local tokens = 0

local MUTANTS = mutants.with_common {
  ["success on the group alone"] = { "S3", function()
    replace(phases, "of", mutants.on_the_group_alone)
  end },

  ["success as soon as the call is accepted"] = { "S3", function()
    replace(pollers, "new", function(new)
      return function(options)
        local poller = new(options)
        poller.until_completed = function(self)
          self:look(math.huge)
          return self.last and "completed" or "timeout"
        end
        return poller
      end
    end)
  end },

  ["a new token for each send"] = { "S4", nil, mutants.with_calls(function(_, params)
    if not params.ClientToken then return params end
    local own = {}
    for name, value in pairs(params) do own[name] = value end
    tokens = tokens + 1
    own.ClientToken = "token-" .. tokens
    return own
  end) },

  ["no eye for a cut list"] = { "S3", function()
    replace(snapshots, "pair_set_fault", function() return function() return nil end end)
    replace(snapshots, "id_difference", function() return function() return nil end end)
    replace(transitions, "is_done", function()
      return function(transition, snapshot) return transition.done[snapshot.status] == true end
    end)
  end },
}

describe("a sweep of random troubles around other changes", function()
  after_each(mutants.restore)

  it("finds no violation of the invariants S1 to S5 and S9", function()
    local violations, seen = mutants.explore(sweep, SEEDS)
    assert.same({}, violations)
    -- A sweep that never gets anywhere proves nothing.
    for _, name in ipairs { "reprotected", "started", "synced", "stopped", "drilled",
      "Client.OutcomeUnknown unknown",
      "Client.Superseded unknown" } do
      assert.is_true((seen[name] or 0) >= 30, name .. ": " .. tostring(seen[name]))
    end
  end)

  for name, mutant in pairs(MUTANTS) do
    it("would notice: " .. name, function()
      assert.is_string(mutants.noticed(sweep, SEEDS, mutant))
    end)
  end
end)
