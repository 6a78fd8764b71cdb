--- Whether production runs, as far as a run is concerned: what it has stopped and not brought back,
--- and what it has opened elsewhere. Told by records of type `production`; the first of a group is
--- written before anything of it is stopped, so a process that dies leaves it behind.

local M = {}

---@class alicloud.dr.Production
---@field group_id string
---@field region string where it was stopped
---@field state "stopped"|"back"|"serving"
---@field before alicloud.dr.FencedDisk[] what stood there before the first stop
---@field step string? that has stopped it

---@class alicloud.dr.ProductionDown
---@field groups alicloud.dr.Production[] stopped, and served nowhere
---@field steps string[] that have stopped production by other means

local MOST_NAMES = 5

-- What stood there is what the first look saw; a fence that goes on sees less.
local function merged(earlier, later)
  local list, known = {}, {}
  for _, uses in ipairs { earlier, later } do
    for _, use in ipairs(uses) do
      local key = use.disk .. " " .. use.instance
      if not known[key] then known[key], list[#list + 1] = true, use end
    end
  end
  return list
end

--- Takes a record into account.
---@param list table<string, alicloud.dr.Production> by group
---@param event table
function M.apply(list, event)
  local past = list[event.group_id]
  if event.state ~= "stopped" then
    list[event.group_id] = { group_id = event.group_id, region = event.region,
      state = event.state, before = {} }
    return
  end
  local goes_on = past and past.state == "stopped" and past.region == event.region
  list[event.group_id] = { group_id = event.group_id, region = event.region, state = "stopped",
    step = event.step, before = merged(goes_on and past.before or {}, event.before or {}) }
end

local function is_anything_served(state)
  if state.marks.verified then return true end
  for _, each in pairs(state.production) do
    if each.state == "serving" then return true end
  end
  return false
end

local STANDS = { begun = true, done = true, failed = true }

local function stopping_steps(state)
  local list = {}
  for _, key in ipairs(state.order) do
    local step = state.steps[key]
    if step.stops_production and STANDS[step.status] and step.may_have_acted ~= false then
      list[#list + 1] = key
    end
  end
  return list
end

--- What of production is down.
---@param state alicloud.dr.RunState
---@return alicloud.dr.ProductionDown|nil nil: nothing that the run knows of
function M.down(state)
  local groups = {}
  for _, each in pairs(state.production) do
    if each.state == "stopped" then groups[#groups + 1] = each end
  end
  table.sort(groups, function(a, b) return a.group_id < b.group_id end)
  local steps = is_anything_served(state) and {} or stopping_steps(state)
  if #groups + #steps == 0 then return nil end
  return { groups = groups, steps = steps }
end

local OPENED = { failovering = true, failovered = true, failover_failed = true }

--- A group that is down, and that somebody else has opened at the side to which it was to go, or
--- tried to: there the service has to be brought up, and nowhere else.
---@param state alicloud.dr.RunState
---@return { group_id: string, region: string, zone: string?, attach: string? }|nil
function M.opened_by_others(state)
  local down = M.down(state)
  for _, each in ipairs(down and down.groups or {}) do
    local look = state.looks[each.group_id]
    if look and OPENED[look.status] then
      return { group_id = each.group_id, region = look.to,
        zone = look.from == look.to and look.to_zone or nil,
        attach = type(state.params.attach) == "string" and state.params.attach or nil }
    end
  end
  return nil
end

--- The instances on which a group ran.
---@param production alicloud.dr.Production
---@return string[]
function M.instances(production)
  local list, seen = {}, {}
  for _, use in ipairs(production.before) do
    if not seen[use.instance] then seen[use.instance], list[#list + 1] = true, use.instance end
  end
  return list
end

local function names(list)
  if #list <= MOST_NAMES then return table.concat(list, ", ") end
  return ("%s and %d more"):format(table.concat(list, ", ", 1, MOST_NAMES), #list - MOST_NAMES)
end

--- The same in one line, not clean.
---@param state alicloud.dr.RunState
---@return string|nil
function M.words(state)
  local down = M.down(state)
  if not down then return nil end
  local list = {}
  for i, each in ipairs(down.groups) do
    list[i] = ("%s, stopped in %s (%s)"):format(each.group_id, each.region,
      names(M.instances(each)))
  end
  if #list > 0 then return "production is down: " .. names(list) end
  return ("production may be down: it was stopped by step %s"):format(names(down.steps))
end

return M
