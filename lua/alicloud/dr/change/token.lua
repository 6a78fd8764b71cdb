--- The idempotency token that a change goes under, and the one that it goes under after that.
---
--- Nobody says which refusals the service remembers with their token. One that it remembers it
--- repeats for as long as it knows the token, whatever has changed since. So a refusal for good
--- ends a token, and what is sent after it is a request of its own, under a token and an intent of
--- its own. A token under which something is in doubt is kept, and so is one that was given by
--- hand: what was sent under it before, nobody here knows.

local intents = require "alicloud.dr.model.intent"
local protocol = require "alicloud.dr.journal.protocol"
local refusals = require "alicloud.dr.model.refusals"
local tables = require "alicloud.base.tables"

local M = {}

local function next_token(change, before)
  if change.derive then
    local token
    token, change.incident = intents.unspent(change.options.incident, change.spent, change.derive)
    return token
  end
  while before and change.spent[before] == "refused" do before = intents.renewed(before) end
  return before or change.runtime.random_hex(16)
end

--- The token that a change goes under.
---@param change alicloud.dr.Change
---@param snapshot alicloud.dr.Snapshot by which it was decided
---@param derive fun(snapshot: alicloud.dr.Snapshot, incident: string, words: alicloud.dr.Words):
---string the token of an incident
---@return string
function M.choose(change, snapshot, derive)
  local options, past = change.options, change.options.continue
  if past and not past.refused then return past.intent.client_token end
  change.spent = tables.copy(options.spent_tokens or {})
  if past then change.spent[past.intent.client_token] = "refused" end
  if options.incident then
    change.derive = function(name) return derive(snapshot, name, change.words) end
  end
  return next_token(change, options.client_token or past and past.intent.client_token)
end

--- Writes down how an intent ended whose every call was refused, before the one that follows it.
---@param change alicloud.dr.Change
function M.close_past(change)
  local past = change.options.continue
  if not past or not past.refused then return end
  protocol.write_outcome(change.options.journal, past.verb or change.words.verb, past.intent, nil,
    past.refused)
end

--- Takes another token, and writes the intent down again, if the latest call ended the one before.
---@param change alicloud.dr.Change
---@param err alicloud.Error of that call
---@return boolean|nil ok nil: nothing may be sent
---@return alicloud.Error? fault
function M.renew(change, err)
  local intent, token = change.intent, change.intent.client_token
  local kept = not token or change.doubtful or change.options.client_token
  if kept or not refusals.ends_token(err) then return true end
  change:write_outcome(nil, err)
  change.spent = change.spent or {}
  change.spent[token] = "refused"
  intent.client_token = next_token(change, token)
  return change:write_intent()
end

return M
