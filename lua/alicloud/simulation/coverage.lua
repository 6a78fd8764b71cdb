--- Counts what explorations have met: requests with their outcomes, writes with crashes at them,
--- phases and codes. It also lists outcomes that were never met.

local core = require "alicloud.core"

local M = {}

-- Outcomes of a request, as its sender sees them.
M.OUTCOMES = { "done", "refused", "throttled", "failed", "unanswered", "unsent" }

--- How a machine can stop at a write.
M.STOPS = { "crash", "crash_after", "torn" }

local function outcome_of(request)
  local entry = request.entry
  if request.unsent then return "unsent" end
  if not entry or not entry.status or entry.dropped then return "unanswered" end
  if entry.status < 300 then return "done" end
  local code = tostring(entry.code)
  if code:find "^Throttling" or code:find "^BLOCK" then return "throttled" end
  return entry.status < 500 and "refused" or "failed"
end

local function add(met, name)
  met[name] = (met[name] or 0) + 1
end

local PARTS = { request = M.OUTCOMES, write = M.STOPS }

--- Lists the outcomes that were never met, of requests and writes that were met with others.
---@param met table<string, integer>
---@return string[] "kind name/outcome"
function M.never(met)
  local missing, known = {}, {}
  for key in pairs(met) do
    local kind, name = key:match "^(%w+) ([^/]*)/"
    local parts = kind and PARTS[kind]
    if parts and not known[kind .. name] then
      known[kind .. name] = true
      for _, part in ipairs(parts) do
        local other = ("%s %s/%s"):format(kind, name, part)
        -- Only an append can be torn.
        local can_be = part ~= "torn" or name == "append"
        if can_be and not met[other] then missing[#missing + 1] = other end
      end
    end
  end
  table.sort(missing)
  return missing
end

--- Adds what a rehearsal has met.
---@param met table<string, integer> how often, by "kind name/outcome"
---@param rehearsal alicloud.simulation.Rehearsal
function M.add(met, rehearsal)
  local stage, seen = rehearsal.stage, {}
  local function note(kind, name) seen[kind .. " " .. name] = true end
  for _, request in ipairs(stage.requests) do
    if request.who == "run" then
      note("request", request.action .. "/" .. outcome_of(request))
      local code = request.entry and request.entry.code
      if code then note("code", tostring(code)) end
    end
  end
  for _, at in ipairs(stage.stopped_at) do note("write", at.op .. "/" .. at.how) end
  for line in stage.disk:text "run":gmatch "[^\n]+" do
    local record = line:find '"type":"step_begin"' and core.decode(line)
    if record then note("phase", record.event.step:match "[^/]*$") end
  end
  for name in pairs(seen) do add(met, name) end
end

return M
