--- Sends the calls of a process without rights. A call is sent only if its action and version are
--- in the product's list of reading operations; any other is taken for a change. The client chooses
--- endpoint and credentials.

local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"
local metas = require "alicloud.base.meta"
local plans = require "alicloud.call.plan"
local services = require "alicloud.service"

local M = {}

-- Their answers hold credentials, which the process must not get.
local SECRET = { ["sts:AssumeRole"] = true }

-- Highest index in the name of a list's parameter; no operation takes as many.
local LONGEST_LIST = 1000

local function refusal(message)
  return { kind = "cancelled", code = "Client.ObserveMode", message = message,
    outcome = "not_sent" }
end

local OBSERVES = refusal "a playbook that is only looked at sends nothing that is not known to read"

--- Whether an operation is known to read.
---@param call { product: string, action: string, version: string }
---@return boolean
function M.reads(call)
  return plans.PRODUCT.test(call.product) and not SECRET[call.product .. ":" .. call.action]
    and services.reads(call.product, call.action, call.version)
end

local function key_of(word)
  local index = math.tointeger(tonumber(word))
  return index and index >= 1 and index <= LONGEST_LIST and index or word
end

-- "Tag.1.Key" becomes a field of a table in a list again, as before the call was made flat.
local function put(nested, name, text)
  local place, last = nested, nil
  for word in name:gmatch "[^.]+" do
    if last then
      if type(place[last]) ~= "table" then place[last] = {} end
      place = place[last]
    end
    last = place == nested and last == nil and word or key_of(word)
  end
  if last then place[last] = text end
end

local function nest(flat)
  local nested = {}
  for name, text in pairs(flat) do put(nested, name, text) end
  return nested
end

local FIELDS = { "kind", "code", "message", "outcome", "retryable", "hint", "status", "request_id",
  "host_id", "recommend", "retry_after", "stopped" }

local function failure_of(err)
  local fields = {}
  for _, name in ipairs(FIELDS) do fields[name] = err[name] end
  fields.outcome = fields.outcome or "unknown"
  return { err = fields }
end

local function send(client, call)
  local ok, result, err = guard.call(client.call, client, call.product .. ":" .. call.action,
    nest(call.params), { region = call.region, deadline = call.deadline })
  if not ok then
    return { err = refusal(errors.text_of(result, 1000)) }
  end
  if not result then return failure_of(err) end
  local meta = metas.of(result)
  return { result = result, request_id = meta.request_id, status = meta.status,
    date = meta.server_time }
end

--- Answers a call; one that is not known to read gets an error and is not sent.
---@param client fun(): alicloud.Client called before each call that is sent
---@param call table checked
---@return table answer without its fields `type` and `now`
---@return boolean asked whether the call was sent to the service
function M.answer(client, call)
  if not M.reads(call) then return { err = OBSERVES }, false end
  return send(client(), call), true
end

return M
