--- Rules for taking a shared run over from a process whose calls have no answers in the journal.
---
--- That process may be paused and not dead. Once this process has written its own attempt, the
--- other one can announce no more calls; but for `takeover_wait` seconds (of the store) a call that
--- it has announced may still leave and arrive. So this process looks at once, and goes on if the
--- change is under way or done. It sends the call again only when no call of the other can arrive
--- any more.

local duration = require "alicloud.base.duration"
local errors = require "alicloud.base.error"

local M = {}

--- Begins the wait: this process has written its attempt.
---@param engine alicloud.dr.Engine
function M.begin(engine)
  local wait = engine.store.takeover_wait
  engine.quiet_from = wait and engine.runtime.boottime() + wait or nil
end

-- Whether a call may still be on its way: also one with an unknown outcome, which may be held up.
local function is_open(call)
  return call.answer == nil or call.answer.outcome == "unknown"
end

-- Whether a call of an earlier process may still arrive.
local function is_on_its_way(engine, call)
  return is_open(call) and call.process < engine.state.attempts
end

--- The first of some calls that may still arrive, and for how long.
---@param engine alicloud.dr.Engine
---@param calls table[] of the run's state
---@param action? string only calls of this action
---@return number|nil seconds nil: none can arrive any more
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

--- Waits until none of some calls can arrive any more.
---@param engine alicloud.dr.Engine
---@param step string
---@param calls table[] of the run's state
---@param action? string only calls of this action
function M.wait(engine, step, calls, action)
  local left, call = M.left(engine, calls, action)
  if not left then return end
  tell(engine, step, left, call)
  engine.loop.sleep(left)
end

--- Adds `resend_from`, before which nothing may be sent again, to the option `continue` of a verb.
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

--- The error for a call of a verb while the same call of an earlier process may still arrive; nil:
--- it may be sent. The verb looks again after `retry_after`.
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

-- The first call that may still be on its way, of any process.
local function first_open(calls)
  for _, call in ipairs(calls) do
    if is_open(call) then return call end
  end
  return nil
end

--- Prepares work by hand for a shared run, by a person who holds its lock. Writes a note, after
--- which no older process can announce a call, and waits until earlier calls cannot arrive any
--- more.
---@param journal alicloud.dr.JournalFile
---@param state alicloud.dr.RunState
---@param client alicloud.Client
---@param given { what: string, waits: fun(left: number, call: table) } the work in words; `waits`
---is called before a wait
---@return alicloud.Interceptor|nil witness for the client with which the work is done
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
