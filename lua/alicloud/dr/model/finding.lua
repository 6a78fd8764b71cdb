--- What a rule of the pre-check finds, before it has its code and cure.

local M = {}

--- The fact that was read allows the failover.
---@param fact string
---@return table
function M.ok(fact)
  return { verdict = "ok", fact = fact }
end

--- It forbids it.
---@param fact string
---@param code? string else the rule's own
---@param cure? string else that of the code
---@return table
function M.block(fact, code, cure)
  return { verdict = "block", fact = fact, code = code, cure = cure }
end

--- It could not be read.
---@param fact string
---@param code? string else the rule's own
---@return table
function M.unknown(fact, code)
  return { verdict = "unknown", fact = fact, code = code }
end

--- No read can tell, so it does not stop a failover.
---@param fact string
---@return table
function M.only_call(fact)
  return { verdict = "unknown", fact = fact, only_call = true }
end

--- A finding that may pass by itself within a cycle or a stop.
---@param finding table is changed
---@return table
function M.passing(finding)
  finding.passes = true
  return finding
end

--- Names the pairs for which `problem` gives a text: "pair-1 is x, pair-2 is y".
---@param snapshot alicloud.dr.Snapshot
---@param problem fun(pair: alicloud.dr.Pair): string|false|nil
---@return string|nil nil if there is none
function M.name_pairs(snapshot, problem)
  local parts = {}
  for _, pair in ipairs(snapshot.pairs) do
    local text = problem(pair)
    if text then parts[#parts + 1] = pair.id .. " " .. text end
  end
  return #parts > 0 and table.concat(parts, ", ") or nil
end

return M
