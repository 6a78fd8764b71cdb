-- Thousands of failovers under random troubles, on the virtual clock. First that the invariants
-- hold, then that the sweep would notice if a safeguard were missing: each safeguard is taken out
-- in turn, from outside, and some seed must complain.

local intents = require "alicloud.dr.intent"
local precheck = require "alicloud.dr.precheck"
local snapshots = require "alicloud.dr.snapshot"
local sweep = require "spec.dr.sweep"
local verdict = require "alicloud.dr.verdict"
local watches = require "alicloud.dr.watch"

local SEEDS = 3000

local replaced

-- Puts a mutant in the place of a function until the test is over.
local function replace(module, name, mutant)
  local original = module[name]
  replaced[#replaced + 1] = function() module[name] = original end
  module[name] = mutant(original)
end

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

local MUTANTS = {
  ["success on the group alone"] = { "S3", function()
    replace(snapshots, "is_failovered", function()
      return function(snapshot) return snapshot.status == "failovered" end
    end)
  end },

  ["success on cut pair lists"] = { "S3", function()
    replace(snapshots, "pair_set_fault", function() return function() return nil end end)
    replace(snapshots, "id_difference", function() return function() return nil end end)
  end },

  ["success as soon as the call is accepted"] = { "S3", function()
    replace(watches, "new", function(new)
      return function(options)
        local watch = new(options)
        watch.until_done = function(self)
          self:look(math.huge)
          self.last = self.last or { pairs = {} }
          return "arrived"
        end
        return watch
      end
    end)
  end },

  ["success on an unknown word"] = { "S3", function()
    replace(intents, "judge", function(judge)
      return function(intent, snapshot)
        if snapshot.status == "levitating" then return "arrived", "levitating" end
        return judge(intent, snapshot)
      end
    end)
  end },

  ["a new token for each send"] = { "S4", replace_token_each_time },

  ["a new token for each send, seen as a second effect"] = { "S1", replace_token_each_time },

  ["sending again after two quick looks"] = { "before 15 s of looking", function()
    watches.PATIENCE.reads, watches.PATIENCE.span = 2, 2
    replaced[#replaced + 1] = function() watches.PATIENCE.reads, watches.PATIENCE.span = 3, 15 end
  end },

  ["sending again without a look"] = { "before 15 s of looking", nil, function(bench)
    local client = bench.client
    bench.client = setmetatable({
      call = function(_, action, params, options)
        local allowed = {}
        for key, value in pairs(options or {}) do allowed[key] = value end
        allowed.resend = nil
        return client:call(action, params, allowed)
      end,
      runtime = client.runtime,
    }, { __index = client })
  end },

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

  ["sending again when the window is closed"] = { "outside the resend window", nil,
    function(_, options) options.resend_window = 3600 end },
}

describe("a sweep of random troubles", function()
  before_each(function() replaced = {} end)
  after_each(function()
    for i = #replaced, 1, -1 do replaced[i]() end
  end)

  it("finds no violation of the invariants S1 to S5, S9 and S11", function()
    local violations, seen = {}, {}
    for seed = 1, SEEDS do
      local found, run = sweep.run(seed)
      for _, violation in ipairs(found) do violations[#violations + 1] = violation end
      local name = run.result and run.result.outcome or run.err.code .. " " .. run.err.outcome
      seen[name] = (seen[name] or 0) + 1
    end
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

  for name, mutant in pairs(MUTANTS) do
    it("would notice: " .. name, function()
      if mutant[2] then mutant[2]() end
      assert.is_string(first_violation(mutant[1], mutant[3]))
    end)
  end
end)
