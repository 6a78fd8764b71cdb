--- Chooses the idempotency token of a change, and the next one after a refusal.
---
--- It is not documented which refusals the service remembers with their token. It repeats such a
--- refusal for as long as it knows the token, whatever has changed since. So a refusal other than
--- throttling ends the token, and the next call is a new request with its own token and intent. A
--- token with a call in doubt is kept. So is a token that the user gave: earlier calls under it are
--- not known here.

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

--- Chooses the token of a change.
---@param change alicloud.dr.Change
---@param snapshot alicloud.dr.Snapshot the look that the decision is based on
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

--- Tells the journal the end of a continued intent whose every call was refused, before the next
--- intent is written.
---@param change alicloud.dr.Change
function M.close_past(change)
  local past = change.options.continue
  if not past or not past.refused then return end
  protocol.write_outcome(change.options.journal, past.verb or change.words.verb, past.intent, nil,
    past.refused)
end

--- If the latest call ended its token, takes the next one and writes the intent again.
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
