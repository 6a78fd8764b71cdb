--- What the parts of a shared store have in common: errors, and asking until there is an answer.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"

local M = {}

-- Seconds between two tries, and for which it is tried where nothing is held yet.
local AGAIN, SOON = 0.25, 8
-- Seconds after which people are told why nothing moves.
local SILENT = 1
-- Keys that are asked for at a time.
local PAGE = 500

-- Those that were told of, until they answer again.
local told = setmetatable({}, { __mode = "k" })

--- A name as a part of a key.
---@param text string
---@return string
function M.part(text)
  return (core.percent_encode(text):gsub("~", "%%7E"))
end

---@param store alicloud.dr.SharedStore
---@param code string
---@param message string
---@param hint? string
---@param holder? alicloud.dr.Holder
---@return alicloud.Error
function M.failure(store, code, message, hint, holder)
  return errors.new { kind = "journal", code = code, outcome = "not_sent", holder = holder,
    message = ("%s: %s"):format(store.name, message), hint = hint }
end

local function tell(store, err, left)
  if told[store.keys] then return end
  told[store.keys] = true
  store.runtime.warn(("%s; it is tried for %d s more"):format(err.message, math.ceil(left)))
end

--- Asks until there is an answer, or an error that no further try mends. What takes long is told.
---@param store alicloud.dr.SharedStore
---@param ask fun(): any, any nil and an error, or anything else
---@param ends? number seconds of runtime.boottime
---@return any
---@return any
function M.persist(store, ask, ends)
  local now = store.runtime.boottime
  local began = now()
  ends = ends or began + SOON
  while true do
    local done, found = ask()
    local err = done == nil and found
    if not err then told[store.keys] = nil end
    if not (err and err.retryable) or now() >= ends then return done, found end
    if now() - began >= SILENT then tell(store, err, ends - now()) end
    store.loop.sleep(AGAIN)
  end
end

--- An entry, asked for until there is an answer.
---@param store { keys: alicloud.dr.Keys, loop: alicloud.loop.Loop, runtime: alicloud.Runtime }
---@param key string
---@return alicloud.dr.Entry|false|nil entry false: there is none
---@return alicloud.Error? err
function M.get(store, key)
  return M.persist(store, function() return store.keys:get(key) end)
end

--- Reads what is there under keys that begin alike, in the order of keys, page after page.
---@param store { keys: alicloud.dr.Keys, loop: alicloud.loop.Loop, runtime: alicloud.Runtime }
---@param prefix string
---@param take fun(entry: alicloud.dr.Entry): alicloud.Error|nil an error ends it
---@param page? integer keys that are asked for at a time, where they are large
---@return boolean|nil ok
---@return alicloud.Error? err
function M.each(store, prefix, take, page)
  local after, more = nil, true
  while more do
    local entries
    entries, more = M.persist(store, function()
      return store.keys:list(prefix, after, page or PAGE)
    end)
    if not entries then return nil, more end
    for _, entry in ipairs(entries) do
      local fault = take(entry)
      if fault then return nil, fault end
      after = entry.key
    end
  end
  return true
end

return M
