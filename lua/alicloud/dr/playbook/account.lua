--- Finds the account of a run. Groups of two accounts may have the same name, so in a store that
--- several machines share a group is locked under the number of its account.

local errors = require "alicloud.base.error"
local schema = require "alicloud.base.schema"

local M = {}

--- The environment variable with the number, if no option gives it.
M.VARIABLE = "ALICLOUD_DR_ACCOUNT"

M.RULE = schema.rule("the number of an account, 6 to 32 digits", function(value)
  return type(value) == "string" and #value >= 6 and #value <= 32 and not value:find "%D"
end)

local function unknown(message, cause)
  return nil, errors.new { kind = cause and cause.kind or "state", code = "Client.AccountUnknown",
    outcome = "not_sent", cause = cause, retryable = cause and cause.retryable or nil,
    message = "groups are locked under the number of their account, and it is not known: "
      .. message,
    hint = ("give it: %s=NUMBER in the environment, --account NUMBER, or the option account of "
      .. "dr.run"):format(M.VARIABLE) }
end

local function given(options)
  if options.account then return options.account end
  local value = options.client.runtime.getenv(M.VARIABLE)
  if value == nil or value == "" then return nil end
  if M.RULE.test(value) then return value end
  return unknown(("%s: got %s; allowed: %s"):format(M.VARIABLE, schema.show(value),
    M.RULE.allowed))
end

-- Asks the service for the account of the keys.
local function asked(client)
  local answer, err = client:call("sts:GetCallerIdentity", {})
  if not answer then return unknown(err.message, err) end
  if M.RULE.test(answer.AccountId) then return answer.AccountId end
  return unknown("the answer of sts:GetCallerIdentity holds none")
end

local function changed(kept, account)
  return nil, errors.new { kind = "state", code = "Client.RunChanged", outcome = "not_sent",
    message = ("the account is %s in the journal, not %s"):format(kept, account),
    hint = "a run keeps what it was begun with: resume it with the keys of that account" }
end

--- The account of a run, if its store is shared by several machines.
---@param options alicloud.dr.RunOptions
---@param state alicloud.dr.RunState a run that has begun keeps its account
---@return string|nil account nil without an error: the store is not shared
---@return alicloud.Error? err
function M.of(options, state)
  if not options.store.shared then return nil end
  local account, err = given(options)
  if err then return nil, err end
  local kept = state.run and state.run.account
  if kept and account and kept ~= account then return changed(kept, account) end
  if kept or account then return kept or account end
  return asked(options.client)
end

return M
