--- Options that all changes have in common: their rules, and the default times.

local formats = require "alicloud.base.formats"
local protocol = require "alicloud.dr.journal.protocol"
local schema = require "alicloud.base.schema"
local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.dr.WaitOptions
---@field timeout? number|string time from the call to the end
---@field stall? number|string give up waiting when nothing changes for so long
---@field poll? number|string longest pause between two looks (5 s)
---@field wait_for_cloud? number|string|false how long to retry reads during an outage, and calls
---after a refusal which proves that nothing was done (10m)
---@field resend_window? number|string how long after the first send the call may be sent again if
---its answer is lost; 0: never (120 s)
---@field progress? fun(event: table)

---@class alicloud.dr.ChangeOptions: alicloud.dr.WaitOptions
---@field client_token? string continue the change that was begun under this token
---@field incident? string derive the token from verb, group, direction, state and this name
---@field spent_tokens? table<string, boolean|"refused"> tokens that are used up: an incident takes
---its next name whose token is not among them; a `client_token` marked "refused" is replaced by the
---one that follows from it
---@field confirm? fun(snapshot: alicloud.dr.Snapshot): boolean asked before anything is sent
---@field journal? alicloud.dr.Journal see alicloud.dr.journal.protocol
---@field continue? alicloud.dr.Continue

---@class alicloud.dr.CheckedOptions
---@field timeout number seconds from the call to the end
---@field stall number seconds without any change
---@field poll number seconds
---@field resend_window number seconds
---@field client_token string?
---@field incident string?
---@field spent_tokens table<string, boolean|"refused">?
---@field progress fun(event: table)?
---@field journal alicloud.dr.Journal?
---@field continue alicloud.dr.Continue?

local function merged(rules, more)
  return tables.merged(rules, more)
end

-- Changes without a token: a repeated request looks before it sends.
local WITHOUT_TOKEN = {
  timeout = formats.TIMEOUT, stall = formats.TIMEOUT, poll = formats.POLL,
  wait_for_cloud = formats.PATIENCE, resend_window = formats.WINDOW,
  confirm = schema.callable, progress = schema.callable,
}

local WITH_TOKEN = merged(WITHOUT_TOKEN, {
  client_token = formats.TOKEN, incident = formats.INCIDENT,
  spent_tokens = schema.typed "table",
  journal = protocol.JOURNAL, continue = protocol.CONTINUE,
})

--- Rules of the options of a change that has a token.
---@param more? table<string, alicloud.schema.Rule> rules of the change itself
---@return table<string, alicloud.schema.Rule>
function M.with_token(more)
  return merged(WITH_TOKEN, more)
end

--- Rules of the options of a change without a token, and so without incident and journal.
---@param more? table<string, alicloud.schema.Rule> rules of the change itself
---@return table<string, alicloud.schema.Rule>
function M.without_token(more)
  return merged(WITHOUT_TOKEN, more)
end

--- Limits of a change of a group, in seconds.
M.MINUTES = { timeout = 1200, stall = 600, poll = 5, resend_window = 120 }

--- Limits where data has to be copied first.
M.HOURS = { timeout = 7200, stall = 7200, poll = 10, resend_window = 120 }

--- Limits of a change of a disk or an instance.
M.COMPUTE = { timeout = 600, stall = 600, poll = 5, resend_window = 120 }

return M
