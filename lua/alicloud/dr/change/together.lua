--- Makes several changes of one kind together: sends the calls one after the other, and then reads
--- the state of all that are under way with one listing.
---
--- A listing of many targets shows each as a listing of one would, so it is believed as much. A
--- target that the listing lacks is looked at by itself.

local pollers = require "alicloud.dr.change.poller"
local refusal = require "alicloud.dr.change.refusal"
local tables = require "alicloud.base.tables"

local M = {}

-- Sends the change, or joins one that is under way, and does not wait.
local function begin(change, target)
  change.loop.checkpoint()
  change:set_target(target)
  if not target.under_way then return change:get_under_way() end
  -- An earlier look showed it under way.
  change.joined, change.poller.has_moved = true, true
  change:emit { event = "joined" }
  return true
end

-- Each change has its whole timeout from here on: the calls for the others do not count.
local function open_of(changes)
  local open = {}
  for i, change in ipairs(changes) do
    local deadline = math.max(change.deadline, change:now() + change.options.timeout)
    open[i] = { change = change, wait = change.poller:begin_wait(deadline, change.options.stall) }
  end
  return open
end

local function ids_of(open)
  local ids = {}
  for i, entry in ipairs(open) do ids[i] = entry.change.target.id end
  return ids
end

local function last_deadline(open)
  local last = 0
  for _, entry in ipairs(open) do last = math.max(last, entry.wait.deadline) end
  return last
end

local function first_end(open)
  local first = math.huge
  for _, entry in ipairs(open) do first = math.min(first, pollers.ends(entry.wait)) end
  return first
end

local function judge(entry, found, err)
  local poller = entry.change.poller
  local seen = found and found[entry.change.target.id]
  if seen or err then return poller:take(seen, err) end
  return poller:look(entry.wait.deadline)
end

-- Returns the seconds of an outage, which do not count for any deadline: see the poller.
local function look(open, read)
  local client = open[1].change.group.client
  local before = client:patience()
  local found, err = read(ids_of(open), open[1].change.poller:call_options(last_deadline(open)))
  for _, entry in ipairs(open) do entry.phase = judge(entry, found, err) end
  return math.max(0, before - client:patience())
end

local function settle(open, held, on_end)
  local left = {}
  for _, entry in ipairs(open) do
    local ending = entry.change.poller:settle(entry.wait, entry.phase, held)
    if ending then
      on_end(entry.change, entry.change:conclude(ending))
    else
      left[#left + 1] = entry
    end
  end
  return left
end

-- Begins with a pause, since no change is done at once.
local function wait(changes, read, on_end)
  local open = open_of(changes)
  while #open > 0 do
    open[1].change.poller:rest(open[1].wait, first_end(open))
    open = settle(open, look(open, read), on_end)
  end
end

---@class alicloud.dr.Together
---@field done table<string, table> the looks that showed targets as done, by id
---@field put_off table<string, true> ids of targets that have to wait for others

-- Whether a joined change has ended with the state as it was before, e.g. because it was a restart
-- of an instance and not a stop.
local function came_to_nothing(change, err)
  return err ~= nil and err.code == "Client.Superseded" and change.attempts == 0
    and change.poller:phase_of(change.poller.last) == "not_started"
end

local function apply_once(targets, make, read)
  local result, begun, fault = { done = {}, put_off = {} }, {}, nil
  for _, target in ipairs(targets) do
    local change, ok, err = make(target, result.put_off), nil, nil
    if change then ok, err = begin(change, target) end
    if ok then
      begun[#begun + 1] = change
    elseif not change or refusal.is_put_off(change, err) then
      result.put_off[target.id] = true
    else
      fault = err
      break
    end
  end
  local left = {}
  wait(begun, read, function(change, seen, err)
    result.done[change.target.id] = seen
    if came_to_nothing(change, err) then
      left[#left + 1] = tables.merged(change.target, { under_way = false })
    else
      fault = fault or err
    end
  end)
  return result, fault, left
end

--- Makes one change for each target. After an error nothing more is sent, and the changes that are
--- under way are waited for.
---@param targets alicloud.dr.Target[] with `id` and `under_way`
---@param make fun(target: alicloud.dr.Target, put_off: table<string, true>): alicloud.dr.Change|nil
---called before each is sent; nil: this target is put off, too
---@param read fun(ids: string[], options: { deadline: number }): table<string, table>|nil,
---alicloud.Error? the looks by id; targets that the listing lacks are left out
---@return alicloud.dr.Together
---@return alicloud.Error? err the first error
function M.apply(targets, make, read)
  local result, fault, left = apply_once(targets, make, read)
  if #left == 0 or fault then return result, fault end
  local second
  second, fault = apply_once(left, make, read)
  return { done = tables.merged(result.done, second.done),
    put_off = tables.merged(result.put_off, second.put_off) }, fault
end

return M
