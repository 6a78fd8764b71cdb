--- Finds in the records of a run the changes that were begun before: which are still open, how to
--- continue them, and which tokens are used up.

local refusals = require "alicloud.dr.model.refusals"
local tables = require "alicloud.base.tables"

local M = {}

--- Whether the outcome of a call is unknown.
---@param call table
---@return boolean
function M.is_doubtful(call)
  return not call.answer or call.answer.outcome == "unknown"
end

local function calls_under(state, token)
  local list = {}
  for _, call in ipairs(state.calls) do
    local left = not (call.answer and call.answer.outcome == "not_sent")
    if call.client_token == token and left then list[#list + 1] = call end
  end
  return list
end

--- The refusal that has ended a token: no call under it is in doubt or was accepted.
---@param state alicloud.dr.RunState
---@param token string
---@return table|nil answer
function M.refusal_of(state, token)
  local refusal
  for _, call in ipairs(calls_under(state, token)) do
    if M.is_doubtful(call) or call.answer.outcome == "accepted" then return nil end
    if refusals.ends_token(call.answer) then refusal = call.answer end
  end
  return refusal
end

--- The option `continue` for an intent without an outcome.
---@param state alicloud.dr.RunState
---@param entry table of state.intents
---@return alicloud.dr.Continue
function M.continuation(state, entry)
  local calls = calls_under(state, entry.intent.client_token)
  local past = { intent = tables.copy(entry.intent), verb = entry.verb, doubtful = false,
    one_shot = entry.one_shot == true, reverse = entry.reverse, attempts = 0, request_ids = {},
    calls = calls,
    refused = M.refusal_of(state, entry.intent.client_token) }
  for _, call in ipairs(calls) do
    past.attempts = past.attempts + 1
    past.doubtful = past.doubtful or M.is_doubtful(call)
    local answer = call.answer
    -- Earlier calls that were refused do not count as sent.
    if past.doubtful or answer.outcome == "accepted" then
      past.first_send_wall = past.first_send_wall or call.at
    end
    if answer then past.request_ids[#past.request_ids + 1] = answer.request_id end
    if answer and answer.outcome == "accepted" then
      past.accepted = { request_id = answer.request_id, server_time = answer.server_time }
    end
  end
  return past
end

--- Whether an intent has no outcome in the journal, or an unknown one.
---@param entry table of state.intents
---@return boolean
function M.is_open(entry)
  return not entry.outcome or entry.outcome.outcome == "unknown"
end

--- The changes of a verb on a group that were sent and have no known outcome.
---@param state alicloud.dr.RunState
---@param verb string
---@param group_id string
---@return alicloud.dr.Continue[]
function M.in_doubt(state, verb, group_id)
  local list = {}
  for _, entry in ipairs(state.intents) do
    if entry.verb == verb and entry.intent.group_id == group_id and M.is_open(entry) then
      local past = M.continuation(state, entry)
      if past.first_send_wall then list[#list + 1] = past end
    end
  end
  return list
end

-- The option `continue` for an intent, with the id of the drill that it has started, if known.
local function with_drill(state, entry, id)
  local past = M.continuation(state, entry)
  if not id then return past end
  past.intent, past.is_open = { drill_id = id }, M.is_open(entry)
  for name, value in pairs(entry.intent) do past.intent[name] = value end
  return past
end

-- The option `continue` for a verb whose part has started a drill; else nil.
local function half_done(state, entry)
  local result = entry.outcome.ok and entry.outcome.result
  if not (result and result.drill_id) then return nil end
  return with_drill(state, entry, result.drill_id)
end

-- Whether an intent belongs to a verb. That of a part of another verb does so only while open.
local function concerns(entry, verb)
  return entry.of == verb or entry.verb == verb and M.is_open(entry)
end

--- What is known of a verb on a group from before: its result, if this step has it already, or how
--- to continue an intent without an outcome, whichever step began it.
---@param state alicloud.dr.RunState
---@param verb string
---@param group_id string
---@param step string
---@return table|nil result
---@return alicloud.dr.Continue|nil past
function M.pending(state, verb, group_id, step)
  local intents = state.intents_of[group_id] or {}
  for i = #intents, 1, -1 do
    local entry = intents[i]
    if concerns(entry, verb) then
      if M.is_open(entry) then
        return nil, with_drill(state, entry, entry.outcome and entry.outcome.drill_id)
      end
      if entry.step ~= step then return nil end
      -- The result of a part is not the result of the verb.
      if entry.verb ~= verb then return nil, half_done(state, entry) end
      return entry.outcome.ok and entry.outcome.result or nil
    end
  end
  return nil
end

-- Whether a settled change was sent, so that the service may know its token.
local function is_settled(state, entry)
  return entry.outcome.settled and M.continuation(state, entry).first_send_wall ~= nil
end

--- The tokens of a group that are used up: their change has ended or was settled, or the service
--- knew them from an earlier call, or has refused them. A new call with one would only get the old
--- answer.
---@param state alicloud.dr.RunState
---@param group_id string groups never share a token
---@return table<string, boolean|"refused">
function M.spent_tokens(state, group_id)
  local spent = {}
  for _, entry in ipairs(state.intents_of[group_id] or {}) do
    local token, ended = entry.intent.client_token, entry.outcome
    if ended and (ended.ok or ended.outcome == "accepted"
      or ended.code == "Client.TokenReplayed" or is_settled(state, entry)) then
      spent[token] = true
    elseif M.refusal_of(state, token) then
      spent[token] = "refused"
    end
  end
  return spent
end

return M
