--- What the parts of a shared store share: errors, retries, and reading keys page by page.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"

local M = {}

-- AGAIN: seconds between two tries; SOON: seconds of trying where no lock bounds the time.
local AGAIN, SOON = 0.25, 8
-- Seconds of trying after which a warning says why nothing moves.
local SILENT = 1
-- Keys in a page.
local PAGE = 500

-- Stores about which a warning was given, until they answer again.
local told = setmetatable({}, { __mode = "k" })

--- Encodes a name as one part of a key.
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

--- Retries until there is an answer or an error that is not retryable. Warns when it takes long.
---@param store alicloud.dr.SharedStore
---@param ask fun(): any, any nil and an error, or the answer
---@param ends? number runtime.boottime in seconds until which it tries (SOON from now)
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

--- Reads an entry, with retries.
---@param store { keys: alicloud.dr.Keys, loop: alicloud.loop.Loop, runtime: alicloud.Runtime }
---@param key string
---@return alicloud.dr.Entry|false|nil entry false: the key does not exist
---@return alicloud.Error? err
function M.get(store, key)
  return M.persist(store, function() return store.keys:get(key) end)
end

--- Reads all entries with a prefix, in the order of their keys, page by page.
---@param store { keys: alicloud.dr.Keys, loop: alicloud.loop.Loop, runtime: alicloud.Runtime }
---@param prefix string
---@param take fun(entry: alicloud.dr.Entry): alicloud.Error|nil an error ends the reading
---@param page? integer keys in a page, fewer if values are large (500)
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
