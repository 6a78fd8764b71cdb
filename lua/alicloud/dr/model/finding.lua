--- Makes the findings of the rules of the pre-check, before they get their code and cure.

local M = {}

--- A finding whose fact allows the failover.
---@param fact string
---@return table
function M.ok(fact)
  return { verdict = "ok", fact = fact }
end

--- A finding whose fact forbids the failover.
---@param fact string
---@param code? string nil: the rule's own code
---@param cure? string nil: the cure for the code
---@return table
function M.block(fact, code, cure)
  return { verdict = "block", fact = fact, code = code, cure = cure }
end

--- A finding about something that could not be read.
---@param fact string
---@param code? string nil: the rule's own code
---@return table
function M.unknown(fact, code)
  return { verdict = "unknown", fact = fact, code = code }
end

--- A finding about something that only the call itself can tell: it does not stop a failover.
---@param fact string
---@return table
function M.only_call(fact)
  return { verdict = "unknown", fact = fact, only_call = true }
end

--- Marks a finding that may pass by itself within a replication cycle or a stop.
---@param finding table changed in place
---@return table
function M.passing(finding)
  finding.passes = true
  return finding
end

--- Marks a finding that nobody can overrule, whatever its code.
---@param finding table changed in place
---@return table
function M.firm(finding)
  finding.firm = true
  return finding
end

--- Names the pairs for which `problem` gives a text: "pair-1 is x, pair-2 is y".
---@param snapshot alicloud.dr.Snapshot
---@param problem fun(pair: alicloud.dr.Pair): string|false|nil
---@return string|nil nil if there is no such pair
function M.name_pairs(snapshot, problem)
  local parts = {}
  for _, pair in ipairs(snapshot.pairs) do
    local text = problem(pair)
    if text then parts[#parts + 1] = pair.id .. " " .. text end
  end
  return #parts > 0 and table.concat(parts, ", ") or nil
end

return M
