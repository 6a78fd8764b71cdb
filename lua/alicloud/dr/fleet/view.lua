--- What a controller knows of a fleet: which items have ended, which are others', which stages are
--- open, and whether somebody has stopped it all. It is as old as the last look; what it allows,
--- the claim of an item compares again.

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
---@field ended_in integer[] how many of each stage
---@field ended_here integer how many of accounts that this process has keys for
---@field open integer the last stage that is open
---@field held { why: string, by: string, at: number? }|nil
---@field mine table<string, true> items that are under way here
---@field taken table<string, alicloud.dr.Holder> items that are under way anywhere
---@field tried table<string, number> monotonic seconds at which an item was found to be another's
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

--- Takes in how an item has ended.
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

-- What the store has under a key, as far as it is what we write: people may have written, too, and
-- it is shown to others.
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

--- How an item has ended. One of which something is written has, whoever has written what: nobody
--- claims it.
---@param entry alicloud.dr.Entry
---@return alicloud.dr.ItemEnd
function M.ending_of(entry)
  local ending = fields_of(entry, ENDING)
  local is_told = ending.outcome == "done" or ending.code and ending.message
  if OUTCOMES[ending.outcome] and is_told then return ending end
  return { outcome = "failed", code = "Client.JournalDamaged", effect = "unknown",
    message = "what is written of its end cannot be read: look at the group" }
end

-- A person may have put it there, by etcdctl: whatever it says, nobody claims anything.
local function hold_of(entry)
  local hold = fields_of(entry, HOLD)
  hold.why = hold.why or errors.text_of(entry.value, LONGEST_TEXT)
  hold.by = hold.by or "somebody"
  return hold
end

-- Whoever has an item under way; what cannot be read says nobody's name.
local function holder_of(entry)
  return holds.of(entry) or {}
end

-- What is there of all items under a word, by their names.
local function read_all(view, word, read)
  local fleet, found = view.fleet, {}
  local prefix = rosters.key(fleet, word) .. "/"
  local ok, err = support.each(fleet, prefix, function(entry)
    found[entry.key:sub(#prefix + 1)] = read(entry)
  end)
  if not ok then return nil, err end
  return found
end

-- An item whose end was taken back is open again.
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

-- Whoever sees that all of a stage have ended opens the next one.
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

-- The stages that were opened. One stays open, though an item before it is to be done again.
local function read_stages(view)
  local found, err = read_all(view, "stages", function() return true end)
  if not found then return nil, err end
  for name in pairs(found) do
    view.open = math.max(view.open, math.tointeger(tonumber(name)) or 1)
  end
  return true
end

--- Looks at the store.
---@return boolean|nil ok
---@return alicloud.Error? err
function View:look()
  -- In this order: what ends in between is not seen as open.
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

--- Opens what can be opened, as far as it was looked.
---@return boolean|nil ok
---@return alicloud.Error? err
function View:advance()
  if self.held then return true end
  return open_stages(self)
end

--- How many items have not ended, as far as it was looked.
---@return integer
function View:left()
  local ended = 0
  for _, count in ipairs(self.ended_in) do ended = ended + count end
  return self.fleet.meta.count - ended
end

--- How many items stand how, as far as it was looked.
---@return alicloud.dr.Counts
function View:counts()
  local counts = { count = self.fleet.meta.count, done = 0, failed = 0, left_out = 0,
    under_way = 0 }
  for _, ending in pairs(self.ended) do counts[ending.outcome] = counts[ending.outcome] + 1 end
  -- What is under way here was taken after the last look, or is in it.
  for name in pairs(tables.merged(self.taken, self.mine)) do
    if not self.ended[name] then counts.under_way = counts.under_way + 1 end
  end
  counts.open = self:left() - counts.under_way
  return counts
end

--- Whether an item may be worth a claim.
---@param item alicloud.dr.FleetItem
---@return boolean
function View:may_claim(item)
  local name = divisions.name_of(item)
  return item.stage <= self.open and not self.ended[name] and not self.mine[name]
    and not self.taken[name] and (self.tried[name] or -math.huge) < self.looked_at
end

--- Takes in why a claim was refused.
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
