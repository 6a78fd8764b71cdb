--- The definition of a fleet in the store: playbook, parameters, settings and items. The first
--- process writes it, the others read it.
---
---     PREFIX/v1/fleets/FLEET/meta               definition without the items
---     PREFIX/v1/fleets/FLEET/items/SUM/N        items, up to a thousand in a key
---     PREFIX/v1/fleets/FLEET/stages/N           stage N is open
---     PREFIX/v1/fleets/FLEET/hold               no item is claimed while this key exists
---     PREFIX/v1/fleets/FLEET/failures           failures since the last release
---     PREFIX/v1/fleets/FLEET/done/ACCOUNT/GROUP   how an item has ended
---     PREFIX/v1/fleets/FLEET/taken/ACCOUNT/GROUP  its process; vanishes with that one's session
---
--- Each item is a run of its own, named FLEET.ACCOUNT.GROUP; an item is claimed by the run's lock.

local core = require "alicloud.core"
local divisions = require "alicloud.dr.fleet.division"
local errors = require "alicloud.base.error"
local schema = require "alicloud.base.schema"
local support = require "alicloud.dr.store.shared.support"
local tables = require "alicloud.base.tables"

local M = {}

M.VERSION = 1

-- Limits of a key with items: a store with its default settings takes no larger values.
local ITEMS_A_PAGE, PAGE_BYTES, PAGES_AT_ONCE = 1000, 128 * 1024, 4

--- The rule for the name of a fleet. With an account and a group it must fit the 128 bytes of a
--- run's name.
M.NAME = schema.rule("1 to 30 of A-Z, a-z, 0-9, '_' and '-'", function(value)
  return type(value) == "string" and #value <= 30 and value:find "^[%w_-]+$" ~= nil
end)

---@class alicloud.dr.FleetMeta
---@field version integer
---@field playbook string
---@field digest string
---@field file string? path of the playbook, or the name of a ready one
---@field words string what it was begun with, in JSON
---@field params table<string, any>
---@field count integer number of items
---@field items string digest of the pages of items, which is part of their keys
---@field stages { count: integer, canary: boolean? }[]
---@field limit integer failures at which nothing more is begun
---@field at number unix seconds
---@field by string

--- An error of a fleet.
---@param fleet alicloud.dr.Fleet
---@param code string
---@param message string
---@param hint? string
---@return alicloud.Error
function M.failure(fleet, code, message, hint)
  return errors.new { kind = "state", code = code, outcome = "not_sent", hint = hint,
    message = ("fleet %s: %s"):format(fleet.name, message) }
end

--- A key of a fleet.
---@param fleet alicloud.dr.Fleet
---@param ... string|integer parts
---@return string
function M.key(fleet, ...)
  local parts = { ... }
  for i, part in ipairs(parts) do parts[i] = support.part(tostring(part)) end
  return ("%s/v1/fleets/%s/%s"):format(fleet.prefix, fleet.name, table.concat(parts, "/"))
end

--- The name of an item's run.
---@param fleet alicloud.dr.Fleet
---@param item alicloud.dr.FleetItem
---@return string
function M.run_of(fleet, item)
  return table.concat({ fleet.name, item.account, item.group }, ".")
end

--- The value of the key `hold`.
---@param fleet alicloud.dr.Fleet
---@param why string
---@param by? string (this process)
---@return string
function M.hold_text(fleet, why, by)
  return core.encode { why = why, by = by or fleet.who, at = fleet.runtime.time() }
end

-- Splits encoded items into pages.
local function pages_of(list)
  local pages, page, bytes = {}, {}, 0
  for _, item in ipairs(list) do
    local text = core.encode(item)
    if #page >= ITEMS_A_PAGE or bytes + #text > PAGE_BYTES then
      pages[#pages + 1], page, bytes = "[" .. table.concat(page, ",") .. "]", {}, 0
    end
    page[#page + 1], bytes = text, bytes + #text
  end
  pages[#pages + 1] = "[" .. table.concat(page, ",") .. "]"
  return pages
end

local function sum_of(pages)
  return core.sha256(table.concat(pages)):sub(1, 32)
end

-- Pages have keys made of their digest, so an existing one holds the same bytes.
local function write_pages(fleet, pages, sum)
  for i, text in ipairs(pages) do
    local made, err = support.persist(fleet, function()
      return fleet.keys:create(M.key(fleet, "items", sum, ("%06d"):format(i)), text)
    end)
    if made == nil then return nil, err end
  end
  return true
end

local function read_pages(fleet, meta)
  local pages, list = {}, {}
  local ok, err = support.each(fleet, M.key(fleet, "items", meta.items) .. "/", function(entry)
    pages[#pages + 1] = entry.value
  end, PAGES_AT_ONCE)
  if not ok then return nil, err end
  if sum_of(pages) ~= meta.items then
    return nil, M.failure(fleet, "Client.JournalDamaged", ("its %d items are not as they were "
      .. "written"):format(meta.count), "look at the groups, then begin another fleet")
  end
  for _, text in ipairs(pages) do
    local page = core.decode(text)
    table.move(page, 1, #page, #list + 1, list)
  end
  return list
end

-- Flattens what was asked for into names such as params.max_rpo.
local function flat(value, name, into)
  if type(value) == "table" and value[1] == nil then
    for _, key in ipairs(tables.keys(value)) do
      flat(value[key], name and name .. "." .. key or key, into)
    end
  elseif name then
    into[name] = type(value) == "table" and core.encode(value) or tostring(value)
  end
  return into
end

-- Where two definitions differ, in words.
local function differences(before, now)
  local old, new = flat(core.decode(before), nil, {}), flat(core.decode(now), nil, {})
  local lines = {}
  for _, name in ipairs(tables.keys(tables.merged(old, new))) do
    if old[name] ~= new[name] then
      lines[#lines + 1] = ("%s %s, not with %s"):format(name, old[name] or "none",
        new[name] or "none")
    end
  end
  return errors.text_of(table.concat(lines, "; "), 1000)
end

-- An error if the wish differs from how the fleet was begun, or a newer version made it.
local function difference(fleet, meta, wish)
  if (math.tointeger(meta.version) or 0) > M.VERSION then
    return M.failure(fleet, "Client.JournalNewer", "a newer version has made it",
      "go on with that version of alicloud-dr")
  end
  if not wish then return nil end
  if meta.words == wish.words then return nil end
  return M.failure(fleet, "Client.RunChanged",
    "it was begun with " .. differences(tostring(meta.words), wish.words),
    "join it by its name alone, or give another name")
end

local function read_meta(fleet)
  local entry, err = support.get(fleet, M.key(fleet, "meta"))
  if entry == nil then return nil, err end
  if not entry then return false end
  local meta = core.decode(entry.value)
  if type(meta) == "table" then return meta end
  return nil, M.failure(fleet, "Client.JournalDamaged", "what it is, is no JSON",
    "look at the groups, then begin another fleet")
end

local function join(fleet, meta, wish)
  local fault = difference(fleet, meta, wish)
  if fault then return nil, fault end
  local list, err = read_pages(fleet, meta)
  if not list then return nil, err end
  fleet.meta, fleet.items = meta, list
  return true
end

local function begin(fleet, wish)
  local list, stages = divisions.divide(wish.items, wish.settings)
  local pages = pages_of(list)
  local sum = sum_of(pages)
  local ok, err = write_pages(fleet, pages, sum)
  if not ok then return nil, err end
  local text = core.encode { version = M.VERSION, playbook = wish.playbook.name,
    digest = wish.playbook.digest, file = wish.playbook.file, words = wish.words,
    params = wish.params, count = #list, items = sum, stages = stages,
    limit = divisions.limit(wish.settings.max_errors, #list), at = fleet.runtime.time(),
    by = fleet.who }
  local made, found = support.persist(fleet, function()
    return fleet.keys:create(M.key(fleet, "meta"), text)
  end)
  if made == nil then return nil, found end
  -- Another process may have written it first, or an earlier try of this one.
  return join(fleet, core.decode(made and text or found.value), wish)
end

--- Reads the definition of a fleet; with a wish, makes the fleet if it does not exist. Sets `meta`
--- and `items`.
---@param fleet alicloud.dr.Fleet
---@param wish alicloud.dr.FleetWish|nil
---@return boolean|nil ok
---@return alicloud.Error? err
function M.open(fleet, wish)
  local meta, err = read_meta(fleet)
  if meta == nil then return nil, err end
  if meta then return join(fleet, meta, wish) end
  if wish then return begin(fleet, wish) end
  return nil, M.failure(fleet, "Client.JournalEmpty", "there is no such fleet",
    "begin it: give a playbook and groups")
end

return M
