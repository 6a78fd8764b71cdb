-- Thousands of changes under random troubles. First that the invariants hold, then that the sweep
-- would notice if a safeguard were missing.

local goals = require "alicloud.dr.goal"
local snapshots = require "alicloud.dr.snapshot"
local sweep = require "spec.dr.change_sweep"
local verdict = require "alicloud.dr.verdict"
local watches = require "alicloud.dr.watch"

local SEEDS = 2000

local replaced

local function replace(module, name, mutant)
  local original = module[name]
  replaced[#replaced + 1] = function() module[name] = original end
  module[name] = mutant(original)
end

local function first_violation(wanted, change)
  for seed = 1, SEEDS do
    local ok, violations = pcall(sweep.run, seed, change)
    if not ok then return "raised: " .. tostring(violations) end
    for _, violation in ipairs(violations) do
      if violation:find(wanted, 1, true) then return violation end
    end
  end
  return nil
end

-- Wraps the client so that calls are changed on their way.
local function with_calls(alter)
  return function(bench)
    local client = bench.client
    bench.client = setmetatable({
      stats = function() return client:stats() end,
      call = function(_, action, params, options)
        local allowed = {}
        for key, value in pairs(options or {}) do allowed[key] = value end
        return client:call(action, alter(action, params, allowed), allowed)
      end,
    }, { __index = client })
  end
end

local tokens = 0

local MUTANTS = {
  ["success on the group alone"] = { "S3", function()
    replace(goals, "judge", function(judge)
      return function(aim, intent, snapshot)
        local only = {}
        for name, value in pairs(snapshot) do only[name] = value end
        only.pairs = {}
        for i, pair in ipairs(snapshot.pairs) do
          only.pairs[i] = { id = pair.id, status = snapshot.status, from = snapshot.from,
            to = snapshot.to, recover_point = snapshot.group_recover_point }
        end
        return judge(aim, intent, only)
      end
    end)
  end },

  ["success as soon as the call is accepted"] = { "S3", function()
    replace(watches, "new", function(new)
      return function(options)
        local watch = new(options)
        watch.until_done = function(self)
          self:look(math.huge)
          return self.last and "arrived" or "timeout"
        end
        return watch
      end
    end)
  end },

  ["sending again after two quick looks"] = { "before 15 s of looking", function()
    watches.PATIENCE.reads, watches.PATIENCE.span = 2, 2
    replaced[#replaced + 1] = function() watches.PATIENCE.reads, watches.PATIENCE.span = 3, 15 end
  end },

  ["sending again without a look"] = { "before 15 s of looking", nil,
    with_calls(function(_, params, options)
      options.resend = nil
      return params
    end) },

  ["a new token for each send"] = { "S4", nil, with_calls(function(_, params)
    if not params.ClientToken then return params end
    local own = {}
    for name, value in pairs(params) do own[name] = value end
    tokens = tokens + 1
    own.ClientToken = "token-" .. tokens
    return own
  end) },

  ["an unknown outcome called rejected"] = { "S5", function()
    replace(verdict, "unknown", function(unknown)
      return function(run, err)
        local _, failure = unknown(run, err)
        failure.outcome = "rejected"
        return nil, failure
      end
    end)
  end },

  ["a later refusal that hides an earlier doubt"] = { "S5", function()
    replace(verdict, "rejected", function(rejected)
      return function(run, err)
        run.doubtful = false
        return rejected(run, err)
      end
    end)
  end },

  ["no eye for a cut list"] = { "S3", function()
    replace(snapshots, "pair_set_fault", function() return function() return nil end end)
    replace(snapshots, "id_difference", function() return function() return nil end end)
    replace(goals, "is_done", function()
      return function(aim, snapshot) return aim.done[snapshot.status] == true end
    end)
  end },

  ["sending again when the window is closed"] = { "outside the resend window", nil,
    function(_, options) options.resend_window = 3600 end },
}

describe("a sweep of random troubles around other changes", function()
  before_each(function() replaced = {} end)
  after_each(function()
    for i = #replaced, 1, -1 do replaced[i]() end
  end)

  it("finds no violation of the invariants S1 to S5 and S9", function()
    local violations, seen = {}, {}
    for seed = 1, SEEDS do
      local found, run = sweep.run(seed)
      for _, violation in ipairs(found) do violations[#violations + 1] = violation end
      local name = run.result and run.result.outcome or run.err.code
      seen[name] = (seen[name] or 0) + 1
    end
    assert.same({}, violations)
    -- A sweep that never gets anywhere proves nothing.
    for _, name in ipairs { "reprotected", "started", "synced", "stopped", "drilled",
      "Client.OutcomeUnknown", "Client.Superseded" } do
      assert.is_true((seen[name] or 0) >= 30, name .. ": " .. tostring(seen[name]))
    end
  end)

  for name, mutant in pairs(MUTANTS) do
    it("would notice: " .. name, function()
      if mutant[2] then mutant[2]() end
      assert.is_string(first_violation(mutant[1], mutant[3]))
    end)
  end
end)
