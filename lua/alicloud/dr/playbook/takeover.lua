--- Going on where another process of a shared run has sent something and written down no answer.
---
--- It may be stopped and not dead: then what it has announced can leave, and arrive, until so many
--- seconds after this process has written its own attempt, from which on the other can announce
--- nothing (`takeover_wait` of the store). So one looks at once, and goes on if the change is seen
--- under way or done. The call itself is sent again only when nothing of the other can arrive.

local duration = require "alicloud.base.duration"
local errors = require "alicloud.base.error"

local M = {}

--- Takes note that this process has the run: its attempt is written down.
---@param engine alicloud.dr.Engine
function M.begin(engine)
  local wait = engine.store.takeover_wait
  engine.quiet_from = wait and engine.runtime.boottime() + wait or nil
end

-- What was given up may be held up somewhere, too, until its exchange would have ended.
local function is_open(call)
  return call.answer == nil or call.answer.outcome == "unknown"
end

-- A call that this process has not made, and that may arrive.
local function is_on_its_way(engine, call)
  return is_open(call) and call.process < engine.state.attempts
end

--- The first of some calls that may still arrive, and for how long.
---@param engine alicloud.dr.Engine
---@param calls table[] of the run's state
---@param action? string of this action only
---@return number|nil seconds nil: nothing may
---@return table? call
function M.left(engine, calls, action)
  local left = engine.quiet_from and engine.quiet_from - engine.runtime.boottime() or 0
  if left <= 0 then return nil end
  for _, call in ipairs(calls) do
    if is_on_its_way(engine, call) and (not action or call.action == action) then
      return left, call
    end
  end
  return nil
end

local function tell(engine, step, left, call)
  engine:tell { type = "takeover", step = step, left = left, action = call.action,
    product = call.product }
end

--- Waits until nothing of some calls can arrive any more.
---@param engine alicloud.dr.Engine
---@param step string
---@param calls table[] of the run's state
---@param action? string of this action only
function M.wait(engine, step, calls, action)
  local left, call = M.left(engine, calls, action)
  if not left then return end
  tell(engine, step, left, call)
  engine.loop.sleep(left)
end

--- What a verb goes on from, with the moment from which it may send again.
---@param engine alicloud.dr.Engine
---@param step string
---@param past alicloud.dr.Continue|nil
---@return alicloud.dr.Continue|nil past the same
function M.bound(engine, step, past)
  local left, call = M.left(engine, past and past.calls or {})
  if not left then return past end
  past.resend_from = engine.quiet_from
  tell(engine, step, left, call)
  return past
end

--- Why a verb may not make a call yet: it looks again first, when the time has come.
---@param engine alicloud.dr.Engine
---@param step string
---@param action string
---@return alicloud.Error|nil
function M.refusal(engine, step, action)
  local left, call = M.left(engine, engine.state.steps[step].calls, action)
  if not left then return nil end
  tell(engine, step, left, call)
  return errors.new { kind = "state", code = "Client.TakeoverWait", outcome = "not_sent",
    step = step, retryable = true, retry_after = left,
    message = ("the process before this one has announced %s, which may still arrive for %s")
      :format(action, duration.format(math.ceil(left))) }
end

-- The first call that may arrive, whoever made it.
local function first_open(calls)
  for _, call in ipairs(calls) do
    if is_open(call) then return call end
  end
  return nil
end

--- What a person does by hand for a shared run, whose lock he has: from the first record on, nobody
--- older can announce anything. Waits until nothing of what was announced before can arrive.
---@param journal alicloud.dr.JournalFile
---@param state alicloud.dr.RunState
---@param client alicloud.Client
---@param given { what: string, waits: fun(left: number, call: table) } what is done, in words; told
---before a wait
---@return alicloud.Interceptor|nil witness of the client with which it is done
---@return alicloud.Error? err
function M.by_hand(journal, state, client, given)
  local wait = journal.store.takeover_wait
  local function note(text)
    return journal:write({ type = "note", text = text, at = client.runtime.time() }, true)
  end
  local ok, err = note(given.what)
  if not ok then return nil, err end
  local call = wait and first_open(state.calls)
  if call then
    given.waits(wait, call)
    client.loop.sleep(wait)
  end
  return {
    before = function(next_call) return note(("%s: %s"):format(given.what, next_call.action)) end,
    after = function() end,
  }
end

return M
