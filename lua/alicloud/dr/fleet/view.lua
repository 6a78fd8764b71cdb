--- What a controller knows of a fleet from its last look: which items have ended, which others
--- have, which stages are open, and whether the fleet is on hold. It may be outdated; the claim of
--- an item checks the store again.

local core = require "alicloud.core"
local divisions = require "alicloud.dr.fleet.division"
local errors = require "alicloud.base.error"
local holds = require "alicloud.dr.store.shared.hold"
local rosters = require "alicloud.dr.fleet.roster"
local support = require "alicloud.dr.store.shared.support"
local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.dr.FleetView
---@field fleet alicloud.dr.Fleet
---@field ended table<string, alicloud.dr.ItemEnd> by name of the item
---@field ended_in integer[] number of ended items of each stage
---@field ended_here integer number of ended items of accounts that this process has keys for
---@field open integer the last stage that is open
---@field held { why: string, by: string, at: number? }|nil
---@field mine table<string, true> items that are under way in this process
---@field taken table<string, alicloud.dr.Holder> items that are under way in any process
---@field tried table<string, number> time of loop.now at which a claim of the item was refused
local View = {}
View.__index = View

---@param fleet alicloud.dr.Fleet
---@return alicloud.dr.FleetView
function M.new(fleet)
  local view = setmetatable({ fleet = fleet, ended = {}, ended_in = {}, ended_here = 0, open = 1,
    mine = {}, taken = {}, tried = {} }, View)
  for i in ipairs(fleet.meta.stages) do view.ended_in[i] = 0 end
  return view
end

--- Notes how an item has ended.
---@param item alicloud.dr.FleetItem
---@param ending alicloud.dr.ItemEnd
function View:note_end(item, ending)
  local name = divisions.name_of(item)
  if not self.ended[name] then
    self.ended_in[item.stage] = self.ended_in[item.stage] + 1
    if self.fleet.clients[item.account] then self.ended_here = self.ended_here + 1 end
  end
  self.ended[name] = ending
end

local OUTCOMES = { done = true, failed = true, left_out = true }
-- The last second of the year 9999.
local LONGEST_TEXT, LAST_TIME = 300, 253402300799
local ENDING = { outcome = "string", status = "string", code = "string", message = "string",
  effect = "string", head = "string", by = "string", rto = "number", rpo = "number",
  seconds = "number", at = "number" }
local HOLD = { why = "string", by = "string", at = "number" }

-- The known fields of an entry, if they have the right type. People may have written it by hand,
-- and it is shown to others.
local function fields_of(entry, types)
  local value, kept = core.decode(entry.value), {}
  for name, kind in pairs(type(value) == "table" and types or {}) do
    local field = value[name]
    if type(field) == kind and (kind == "string" or field >= 0 and field <= LAST_TIME) then
      kept[name] = kind == "string" and errors.text_of(field, LONGEST_TEXT) or field
    end
  end
  return kept
end

--- How an item has ended. An entry that cannot be read counts as failed: its item is not claimed.
---@param entry alicloud.dr.Entry
---@return alicloud.dr.ItemEnd
function M.ending_of(entry)
  local ending = fields_of(entry, ENDING)
  local is_told = ending.outcome == "done" or ending.code and ending.message
  if OUTCOMES[ending.outcome] and is_told then return ending end
  return { outcome = "failed", code = "Client.JournalDamaged", effect = "unknown",
    message = "what is written of its end cannot be read: look at the group" }
end

-- Why the fleet is on hold. A person may have written the key with etcdctl; any text holds.
local function hold_of(entry)
  local hold = fields_of(entry, HOLD)
  hold.why = hold.why or errors.text_of(entry.value, LONGEST_TEXT)
  hold.by = hold.by or "somebody"
  return hold
end

-- The process that has an item under way; empty if the entry cannot be read.
local function holder_of(entry)
  return holds.of(entry) or {}
end

-- All entries under a word, by the names of their items.
local function read_all(view, word, read)
  local fleet, found = view.fleet, {}
  local prefix = rosters.key(fleet, word) .. "/"
  local ok, err = support.each(fleet, prefix, function(entry)
    found[entry.key:sub(#prefix + 1)] = read(entry)
  end)
  if not ok then return nil, err end
  return found
end

-- Replaces what is known of ended items; one whose end was deleted is open again.
local function take_ended(view, found)
  view.ended, view.ended_here = {}, 0
  for i in ipairs(view.ended_in) do view.ended_in[i] = 0 end
  for _, item in ipairs(view.fleet.items) do
    local ending = found[divisions.name_of(item)]
    if ending then view:note_end(item, ending) end
  end
end

local function read_hold(view)
  local entry, err = support.get(view.fleet, rosters.key(view.fleet, "hold"))
  if entry == nil then return nil, err end
  view.held = entry and hold_of(entry) or nil
  return true
end

local function is_through(view, stage)
  return view.ended_in[stage] == view.fleet.meta.stages[stage].count
end

-- Opens the next stage if all items of the last one have ended.
local function open_stages(view)
  local fleet = view.fleet
  while view.open < #fleet.meta.stages and is_through(view, view.open) do
    local made, err = support.persist(fleet, function()
      return fleet.keys:create(rosters.key(fleet, "stages", view.open + 1), fleet.who)
    end)
    if made == nil then return nil, err end
    view.open = view.open + 1
  end
  return true
end

-- Reads which stages are open. A stage stays open if an item of an earlier one is opened again.
local function read_stages(view)
  local found, err = read_all(view, "stages", function() return true end)
  if not found then return nil, err end
  for name in pairs(found) do
    view.open = math.max(view.open, math.tointeger(tonumber(name)) or 1)
  end
  return true
end

--- Reads the store.
---@return boolean|nil ok
---@return alicloud.Error? err
function View:look()
  -- First "taken", then "done": an item that ends in between is then not taken for open.
  local taken, err = read_all(self, "taken", holder_of)
  if not taken then return nil, err end
  local found
  found, err = read_all(self, "done", M.ending_of)
  if not found then return nil, err end
  self.taken = taken
  take_ended(self, found)
  local ok
  ok, err = read_hold(self)
  if ok then ok, err = read_stages(self) end
  self.looked_at = self.fleet.loop.now()
  return ok, err
end

--- Opens stages, as far as the last look allows.
---@return boolean|nil ok
---@return alicloud.Error? err
function View:advance()
  if self.held then return true end
  return open_stages(self)
end

--- The number of items that have not ended, by the last look.
---@return integer
function View:left()
  local ended = 0
  for _, count in ipairs(self.ended_in) do ended = ended + count end
  return self.fleet.meta.count - ended
end

--- The number of items in each state, by the last look.
---@return alicloud.dr.Counts
function View:counts()
  local counts = { count = self.fleet.meta.count, done = 0, failed = 0, left_out = 0,
    under_way = 0 }
  for _, ending in pairs(self.ended) do counts[ending.outcome] = counts[ending.outcome] + 1 end
  -- An item under way here may have been claimed after the last look.
  for name in pairs(tables.merged(self.taken, self.mine)) do
    if not self.ended[name] then counts.under_way = counts.under_way + 1 end
  end
  counts.open = self:left() - counts.under_way
  return counts
end

--- Whether a claim of an item may succeed.
---@param item alicloud.dr.FleetItem
---@return boolean
function View:may_claim(item)
  local name = divisions.name_of(item)
  return item.stage <= self.open and not self.ended[name] and not self.mine[name]
    and not self.taken[name] and (self.tried[name] or -math.huge) < self.looked_at
end

--- Notes from a refused claim what the store holds.
---@param item alicloud.dr.FleetItem
---@param err alicloud.Error
function View:note_refusal(item, err)
  local fleet, name = self.fleet, divisions.name_of(item)
  self.tried[name] = fleet.loop.now()
  local done = (err.found or {})[rosters.key(fleet, "done", item.account, item.group)]
  local hold = (err.found or {})[rosters.key(fleet, "hold")]
  if done then self:note_end(item, M.ending_of(done)) end
  if hold then self.held = hold_of(hold) end
end

return M
