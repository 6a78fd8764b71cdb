--- Waits for a state, driven by data: which operation to read, which field to look at, which words
--- mean done, failed, on the way.
--
-- A wait ends in one of four ways: everything is done; something failed; nothing moves any more or
-- time is up; a read fails with an error that does not pass by itself. The last response is always
-- returned. A word that the data does not know never counts as success, nor does a list that goes
-- on, nor one that lacks an id that was asked for: that one counts as "(absent)".

local errors = require "alicloud.base.error"
local fields = require "alicloud.base.fields"
local guard = require "alicloud.base.guard"
local schema = require "alicloud.base.schema"
local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.waiter.Definition
---@field operation string the Describe operation to read
---@field items? string path of the list in its response; without it the response is the one item
---@field field string field of an item with its word, e.g. its status
---@field success string[]
---@field failure string[]
---@field transient string[]
---@field gone? boolean an empty list is success, and so is NoSuchResource
---@field positive? string field of an item: done if the number in it is above 0, whatever the word
---@field nested? alicloud.waiter.Definition what must hold inside an item, too
---@field delay number seconds
---@field timeout number seconds
---@field doc? string

---@class alicloud.waiter.Options
---@field timeout? number seconds; default from the data
---@field delay? number seconds between two reads; default from the data
---@field stall? number seconds without any change of state after which to stop
---@field progress? fun(event: alicloud.waiter.Event) is told of each read; its errors are ignored

---@class alicloud.waiter.Event
---@field name string
---@field state string e.g. "failovered 2/3, failovering 1/3"
---@field states table<string, integer> how many items are in which state
---@field unknown string[] words that the data does not know
---@field elapsed number seconds
---@field remaining number seconds
---@field polls integer
---@field result? table the response
---@field error? alicloud.Error a read that failed and will be repeated

local ABSENT = "(absent)"
local NO_SUCH = "NoSuchResource"
-- Seconds: the longest deadline of one read, and the longest hint of the server that is followed.
local POLL_DEADLINE = 60
local MAX_HINT = 60

local SCHEMA = {
  timeout = schema.seconds(0, 7 * 86400),
  delay = schema.seconds(0.001, 3600),
  stall = schema.seconds(0.001, 7 * 86400),
  progress = schema.callable,
}

--- Checks the options of a wait and fills in the data's defaults.
---@param definition alicloud.waiter.Definition an entry of `waiters` in the service data
---@param given? alicloud.waiter.Options
---@return alicloud.waiter.Options|nil
---@return string? message
function M.options(definition, given)
  local checked, message = schema.examine("wait", given, SCHEMA)
  if not checked then return nil, message end
  checked.timeout = checked.timeout or definition.timeout
  checked.delay = checked.delay or definition.delay
  checked.stall = checked.stall or definition.stall
  return checked
end

-- The items, and whether the response has the list at all.
local function items_of(definition, result)
  if not definition.items then return { result }, true end
  local items = tables.at(result, definition.items)
  if type(items) ~= "table" or not tables.list_length(items) then return {}, false end
  return items, true
end

local function describe(counts, total)
  local words = tables.keys(counts)
  if #words == 1 then return words[1] end
  for i, word in ipairs(words) do words[i] = ("%s %d/%d"):format(word, counts[word], total) end
  return table.concat(words, ", ")
end

local function word_of(definition, item)
  local word = type(item) == "table" and item[definition.field]
  return fields.text(word) or ABSENT
end

--- The ids that the parameters of a wait name, `nil` if they name none.
---@param definition table
---@param params? table
---@return string[]|nil
function M.asked_ids(definition, params)
  local value = definition.ids and params and params[definition.ids.parameter]
  if not value then return nil end
  local ids = {}
  local text = type(value) == "table" and table.concat(value, ",") or value
  for id in text:gmatch("[^,%s]+") do ids[#ids + 1] = id end
  return ids
end

local function count_missing(definition, items, asked)
  local seen, missing = {}, 0
  for _, item in ipairs(items) do
    local id = type(item) == "table" and item[definition.ids.field]
    if fields.text(id) then seen[fields.text(id)] = true end
  end
  for _, id in ipairs(asked) do
    if not seen[id] then missing = missing + 1 end
  end
  return missing
end

-- Whether there is more than the response shows. If ids were asked for, the total says nothing.
local function is_cut(result, items, asked)
  local token, total = result.NextToken, fields.count(result.TotalCount)
  if token ~= nil and token ~= "" then return true end
  return not asked and total ~= nil and total > #items
end

local function is_positive(item, field)
  local value = type(item) == "table" and fields.number(item[field])
  return value and value > 0
end

-- Judges one item: its label, whether it is done, whether it failed. The label is its word, with
-- what `nested` and `positive` show besides.
local function stand(definition, sets, item, unknown)
  local word = word_of(definition, item)
  local label, failed = word, sets.failure[word] == true
  local done = sets.success[word] == true
  if not (done or failed or sets.transient[word]) then unknown[word] = true end
  if definition.positive and not failed then
    done = is_positive(item, definition.positive)
    if not done then label = ("%s (no %s)"):format(word, definition.positive) end
  end
  if definition.nested and done then
    local inner = M.judge(definition.nested, item)
    done, failed = inner.verdict == "success", inner.verdict == "failure"
    label = ("%s (%s %s)"):format(word, definition.nested.field, inner.state)
    for _, strange in ipairs(inner.unknown) do unknown[strange] = true end
  end
  return label, done, failed
end

--- Judges a response by a waiter definition. Pure.
---@param definition alicloud.waiter.Definition
---@param result table
---@param asked? string[] ids that must all be there
---@return { verdict: "success"|"failure"|"waiting", state: string, states: table, unknown: table }
function M.judge(definition, result, asked)
  local sets = { success = tables.set(definition.success),
    failure = tables.set(definition.failure), transient = tables.set(definition.transient) }
  local items, listed = items_of(definition, result)
  local counts, unknown, all_done, failed = {}, {}, true, false
  for _, item in ipairs(items) do
    local label, done, broken = stand(definition, sets, item, unknown)
    counts[label] = (counts[label] or 0) + 1
    all_done, failed = all_done and done, failed or broken
  end
  -- An item that is waited for to disappear may be missing.
  local missing = asked and not definition.gone and count_missing(definition, items, asked) or 0
  if missing > 0 then counts[ABSENT] = (counts[ABSENT] or 0) + missing end
  local total, cut = #items + missing, is_cut(result, items, asked)
  local verdict = "waiting"
  if failed then
    verdict = "failure"
  elseif all_done and missing == 0 and not cut
    and (#items > 0 or definition.gone and listed) then
    verdict = "success"
  end
  local state = total == 0 and ABSENT or describe(counts, total)
  if cut then state = state .. ", and the list goes on" end
  return { verdict = verdict, state = state, states = counts, unknown = tables.keys(unknown) }
end

local function fault(wait, watch, about)
  about.product = wait.product
  about.action = wait.definition.operation
  about.attempts = watch.polls
  about.elapsed = wait.loop.now() - watch.started
  about.last = watch.result
  about.request_id = watch.result and watch.result.RequestId
  about.cause = watch.error
  return nil, errors.new(about)
end

local function too_late(wait, watch)
  local code, what = "Client.WaitTimeout", "time is up"
  if #watch.unknown > 0 then
    code = "Client.UnrecognisedState"
    what = "time is up and the state is not a known one"
  end
  return fault(wait, watch, {
    kind = "timeout",
    code = code,
    retryable = true,
    message = ("%s: %s after %g s; last state: %s"):format(wait.name, what,
      wait.options.timeout, watch.state),
  })
end

local function stalled(wait, watch)
  return fault(wait, watch, {
    kind = "timeout",
    code = "Client.Stalled",
    retryable = true,
    message = ("%s: no change for %g s; state: %s"):format(wait.name, wait.options.stall,
      watch.state),
  })
end

local function failed(wait, watch)
  return fault(wait, watch, {
    kind = "state",
    code = "Client.WaitFailed",
    message = ("%s: reached a state that it does not leave by itself: %s"):format(wait.name,
      watch.state),
  })
end

local function tell(wait, watch)
  if not wait.options.progress then return end
  local now = wait.loop.now()
  guard.call(wait.options.progress, {
    name = wait.name,
    state = watch.state,
    states = watch.states,
    unknown = watch.unknown,
    elapsed = now - watch.started,
    remaining = math.max(watch.deadline - now, 0),
    polls = watch.polls,
    result = watch.result,
    error = watch.error,
  })
end

local function observe(wait, watch, result)
  local seen = M.judge(wait.definition, result, wait.asked)
  if seen.state ~= watch.state then watch.changed = wait.loop.now() end
  watch.result, watch.error = result, nil
  watch.state, watch.states, watch.unknown = seen.state, seen.states, seen.unknown
  return seen.verdict
end

local function look(wait, watch)
  local left, before = watch.deadline - wait.loop.now(), wait.outlasted()
  local result, err = wait.poll(math.max(math.min(left, POLL_DEADLINE), 0.001))
  watch.polls = watch.polls + 1
  -- The time of an outage counts neither for the deadline nor as a stall.
  local held = wait.outlasted() - before
  watch.deadline, watch.changed = watch.deadline + held, watch.changed + held
  if result then return observe(wait, watch, result) end
  if wait.definition.gone and err.code == NO_SUCH then
    watch.result, watch.error, watch.state = watch.result or {}, nil, ABSENT
    return "success"
  end
  watch.error = err
  return err.retryable and "waiting" or "broken"
end

local function pause(wait, watch)
  local now = wait.loop.now()
  local hint = watch.error and watch.error.retry_after or 0
  local seconds = math.max(wait.options.delay, math.min(hint, MAX_HINT))
  wait.loop.sleep(math.max(math.min(seconds, watch.deadline - now), 0.001))
end

---@class alicloud.waiter.Wait
---@field name string
---@field product? string
---@field definition alicloud.waiter.Definition an entry of `waiters` in the service data
---@field options alicloud.waiter.Options checked, see M.options
---@field loop alicloud.Loop
---@field asked? string[] ids that must all be there before the wait may succeed
---@field poll fun(deadline: number): table|nil, alicloud.Error?
---@field outlasted fun(): number seconds that reads have waited for the cloud so far

--- Waits until the state is reached, or cannot be.
---@param wait alicloud.waiter.Wait
---@return table|nil result the response that showed success
---@return alicloud.Error? err with the last response as `last`
function M.run(wait)
  local now = wait.loop.now()
  local watch = {
    started = now,
    changed = now,
    deadline = now + wait.options.timeout,
    polls = 0,
    state = "(not read yet)",
    states = {},
    unknown = {},
  }
  local stall = wait.options.stall
  while true do
    local verdict = look(wait, watch)
    tell(wait, watch)
    if verdict == "success" then return watch.result end
    if verdict == "failure" then return failed(wait, watch) end
    if verdict == "broken" then
      watch.error.last = watch.result
      return nil, watch.error
    end
    now = wait.loop.now()
    if now >= watch.deadline then return too_late(wait, watch) end
    if stall and now - watch.changed >= stall then return stalled(wait, watch) end
    pause(wait, watch)
  end
end

return M
