--- Runs a whole drill of one group: starts it, runs the caller's check, and always clears it away,
--- also if the check fails, is cancelled or is interrupted. Disks that the check has left attached
--- are detached.

local drill = require "alicloud.dr.actions.drill"
local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"

local M = {}

local function tell(group, options, event)
  if not options.progress then return end
  event.verb, event.group_id, event.region = "drill", group.id, group.region
  guard.call(options.progress, event)
end

local function clear_up(group, holder, options)
  local id, unread = drill.left_behind(group, holder.intent)
  if not id then return nil, unread end
  holder.drill_id = id
  tell(group, options, { event = "clearing", drill_id = id })
  if not holder.made then drill.announce_clearing(options, holder.intent, id) end
  drill.free_disks(group, holder.made, drill.plain(options))
  local cleared, err = drill.clear(group, id, drill.plain(options))
  if cleared and not holder.made then drill.settle(options, holder.intent) end
  return cleared or false, err
end

-- Clears the drill away in a shielded scope with a timeout of its own: neither the timeout of a
-- step nor Ctrl-C prevents it.
local function clear_surely(group, holder, options)
  local client = group.client
  local cleared, err = client.loop.scope(function()
    client:renew_patience()
    return clear_up(group, holder, options)
  end, { shield = true, timeout = options.timeout })
  -- A drill that is not cleared costs money, so the listener is told in any case.
  if not cleared and err then
    tell(group, options, { event = "not_cleared", drill_id = holder.drill_id, err = err })
  end
  return cleared, err
end

-- Why a check failed, or nil: it fails with an error, with false, or with nil and a reason.
-- Returning nothing, or nil alone, is success.
local function judge_check(ok, count, first, second)
  if not ok then return errors.words_of(first) end
  if count == 0 or first ~= nil and first ~= false then return nil end
  if first == nil and count == 1 then return nil end
  return errors.words_of(second or "the check returned " .. errors.text_of(first))
end

local function pack(ok, ...)
  return ok, select("#", ...), ...
end

local function failed_check(made, why, cleared, err)
  return nil, errors.new {
    kind = "state", code = "Client.DrillCheckFailed", outcome = "accepted",
    message = "the check of the drill failed: " .. why, group_id = made.group_id,
    region = made.region, drill_id = made.drill_id, drill = made.drill, cleared = cleared ~= nil
      and cleared ~= false, cause = err, request_id = made.request_id,
    hint = not cleared and "the drill is still open and costs money: clear it" or nil,
  }
end

local function not_cleared(made, err)
  err.message = ("the drill went well, but %s is not cleared and costs money: %s"):format(
    made.drill_id, err.message)
  return nil, err
end

local function conclude(made, checked, cleared, err)
  if checked.why then return failed_check(made, checked.why, cleared, err) end
  if not cleared then return not_cleared(made, err) end
  made.outcome, made.cleared, made.check = "drilled", true, checked.value
  made.ready_after, made.elapsed = made.elapsed, made.elapsed + checked.seconds + cleared.elapsed
  return made
end

-- Runs the check in a scope, so that all tasks that it has started end before its disks are taken
-- away. It has its own task, which can be ended by force if it ignores a cancellation.
local function check_disks(loop, made, check)
  local began = loop.now()
  local ok, count, first, second = pack(guard.call(loop.scope, function()
    return loop.spawn(check, made):result()
  end))
  return { why = judge_check(ok, count, first, second), value = ok and first or nil,
    seconds = loop.now() - began }
end

local function try(group, options, holder)
  local made, err = drill.start(group, options, holder)
  if not made then return nil, err end
  holder.made = made
  return made, check_disks(group.client.loop, made, options.check or function() end)
end

--- Runs a whole drill: start, wait, the caller's check, and the clearing, which always follows.
---@param group alicloud.dr.Group
---@param options table as for `start`, and `check(result)`; further events for the listener are
---`clearing`, and `not_cleared` if the drill could not be cleared
---@return alicloud.dr.DrillResult|nil outcome "drilled"
---@return alicloud.Error? err
function M.run(group, options)
  local holder = {}
  local ok, made, checked = pcall(try, group, options, holder)
  if ok and made then holder.intent.drill_id = made.drill_id end
  local cleared, clear_err = clear_surely(group, holder, options)
  if not ok then error(made, 0) end
  if made then return conclude(made, checked, cleared, clear_err) end
  local err = checked
  err.cleared, err.clear_error = cleared and true or cleared, clear_err
  return nil, err
end

return M
