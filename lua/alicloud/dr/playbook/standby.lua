--- Opens the store of a run by its name, and opens it anew if it was lost to another process: a
--- process on standby continues the run when it can get the lock again.

local openings = require "alicloud.dr.playbook.opening"
local stores = require "alicloud.dr.store"

local M = {}

local CLOSE_SECONDS = 10
-- Seconds before the next attempt to get a lost run.
local PAUSE = 1

--- Closes the store of a run, also during an interrupt, so that its lock is given back.
---@param options alicloud.dr.RunOptions
function M.close(options)
  local store = options.store
  options.store = nil
  if not store then return end
  options.client.loop.scope(function()
    local _, err = store:close()
    if err then options.client.runtime.warn(err.message) end
  end, { shield = true, timeout = CLOSE_SECONDS })
end

--- Makes a function that opens the store of a run, and closes an older one.
---@param options alicloud.dr.RunOptions with `journal`; gets `store`
---@return fun(): boolean, alicloud.Error?
function M.opener(options)
  return function()
    M.close(options)
    local err
    options.store, err = stores.open(options.journal, options.client)
    return options.store ~= nil, err
  end
end

-- Whether an error means that the store is lost. A write that fails may be the first sign of it.
local function is_lost(options, err)
  local store = options.store
  return err.code == "Client.JournalLost"
    or err.code == "Client.JournalFailed" and store ~= nil and openings.is_lost(store)
end

-- Whether a process that has the lock, but has written nothing, may give it back and begin again.
local function may_begin_anew(options, err)
  return options.leased and not options.announced and err.retryable
    and err.code == "Client.JournalFailed"
end

-- Drops options that the journal has already, since the attempt had begun.
local function forget_wishes(options)
  options.announced, options.regaining, options.again = nil, true, {}
  options.mode, options.corrections, options.force, options.accept_loss = nil, nil, nil, nil
end

--- Carries a run out. A process with the option standby that loses the run waits for it again:
--- another process may have it, or only the store was out of reach.
---@param options alicloud.dr.RunOptions checked; `announced` if the attempt has begun
---@param go_on fun(): alicloud.dr.RunResult|nil, alicloud.Error?
---@return alicloud.dr.RunResult|nil
---@return alicloud.Error? err
function M.keep(options, go_on)
  local client = options.client
  local since = client.runtime.boottime()
  while true do
    local result, err = go_on()
    local stands_by = options.standby and options.reopen
    local anew = err and stands_by and may_begin_anew(options, err)
    if not (anew or err and stands_by and is_lost(options, err)) then return result, err end
    M.close(options)
    local now = client.runtime.boottime()
    if options.announced then
      since = now
      forget_wishes(options)
    end
    options.leased, options.regaining = nil, options.regaining or anew
    if now - since >= options.standby then return nil, err end
    client.loop.sleep(PAUSE)
  end
end

return M
