--- Safeguards taken out of the engine from outside, one at a time: a sweep is worth what it notices
--- of them.

local failures = require "alicloud.dr.change.failures"
local pollers = require "alicloud.dr.change.poller"

local M = {}

local replaced = {}

--- Puts a mutant in the place of a function, or another value in that of a value, until `restore`.
---@param module table
---@param name string
---@param mutant any if the original is a function: what makes the mutant of it
function M.replace(module, name, mutant)
  local original = module[name]
  if original == nil then error(("there is no %s to replace"):format(name), 0) end
  replaced[#replaced + 1] = function() module[name] = original end
  if type(original) == "function" then mutant = mutant(original) end
  module[name] = mutant
end

--- Puts back whatever was replaced.
function M.restore()
  for i = #replaced, 1, -1 do replaced[i]() end
  replaced = {}
end

local function altered(client, alter)
  return setmetatable({
    patience = function() return client:patience() end,
    wait_out = function(_, ...) return client:wait_out(...) end,
    outlasting = function(_, given) return altered(client:outlasting(given), alter) end,
    call = function(_, action, params, options)
      local allowed = {}
      for key, value in pairs(options or {}) do allowed[key] = value end
      return client:call(action, alter(action, params, allowed), allowed)
    end,
  }, { __index = client })
end

--- Changes calls on their way.
---@param alter fun(action: string, params: table, options: table): table the parameters; may change
--- the options
---@return fun(bench: spec.dr.Lab)
function M.with_calls(alter)
  return function(bench) bench.client = altered(bench.client, alter) end
end

--- A judge to whom every pair is what the group is.
---@param of function the judge
---@return function
function M.on_the_group_alone(of)
  return function(transition, intent, snapshot)
    local only = {}
    for name, value in pairs(snapshot) do only[name] = value end
    only.pairs = {}
    for i, pair in ipairs(snapshot.pairs) do
      only.pairs[i] = { id = pair.id, status = snapshot.status, from = snapshot.from,
        to = snapshot.to, recover_point = snapshot.group_recover_point }
    end
    return of(transition, intent, only)
  end
end

---@class spec.dr.Mutant
---@field [1] string what the violation must say
---@field [2] nil|fun() puts the mutant into the modules
---@field [3] nil|fun(bench: spec.dr.Lab, options: table) changes what a seed has drawn

--- What every sweep must notice.
---@type table<string, spec.dr.Mutant>
local COMMON = {
  ["sending again after two quick looks"] = { "before 15 s of looking", function()
    M.replace(pollers.STABLE, "reads", 2)
    M.replace(pollers.STABLE, "span", 2)
  end },

  ["sending again without a look"] = { "before 15 s of looking", nil,
    M.with_calls(function(_, params, options)
      options.resend = nil
      return params
    end) },

  ["an unknown outcome called rejected"] = { "S5", function()
    M.replace(failures, "unknown", function(unknown)
      return function(run, err)
        local _, failure = unknown(run, err)
        failure.outcome = "rejected"
        return nil, failure
      end
    end)
  end },

  ["a later refusal that hides an earlier doubt"] = { "S5", function()
    M.replace(failures, "rejected", function(rejected)
      return function(run, err)
        run.doubtful = false
        return rejected(run, err)
      end
    end)
  end },

  ["sending again when the window is closed"] = { "outside the resend window", nil,
    function(_, options) options.resend_window = 3600 end },
}

--- Those mutants and a sweep's own.
---@param own table<string, spec.dr.Mutant>
---@return table<string, spec.dr.Mutant>
function M.with_common(own)
  local all = {}
  for name, mutant in pairs(COMMON) do all[name] = mutant end
  for name, mutant in pairs(own) do all[name] = mutant end
  return all
end

--- The first violation by which a sweep notices a mutant.
---@param sweep { run: function }
---@param seeds integer how many
---@param mutant spec.dr.Mutant
---@return string|nil
function M.noticed(sweep, seeds, mutant)
  if mutant[2] then mutant[2]() end
  for seed = 1, seeds do
    for _, violation in ipairs((sweep.run(seed, mutant[3]))) do
      if violation:find(mutant[1], 1, true) then return violation end
    end
  end
  return nil
end

--- Runs every seed of the engine as it is.
---@param sweep { run: function }
---@param seeds integer how many
---@return string[] violations
---@return table<string, integer> seen how often a run ended in an outcome, or in a code and its
--- outcome
function M.explore(sweep, seeds)
  local violations, seen = {}, {}
  for seed = 1, seeds do
    local found, run = sweep.run(seed)
    table.move(found, 1, #found, #violations + 1, violations)
    local name = run.result and run.result.outcome or run.err.code .. " " .. run.err.outcome
    seen[name] = (seen[name] or 0) + 1
  end
  return violations, seen
end

return M
