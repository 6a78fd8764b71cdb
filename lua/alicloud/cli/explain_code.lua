--- Explains an error to people: its cause, what is known, whether sending again is safe, what to
--- do.

local codes = require "alicloud.base.codes"
local core = require "alicloud.core"
local dr_codes = require "alicloud.dr.codes"
local errors = require "alicloud.base.error"
local schema = require "alicloud.base.schema"
local services = require "alicloud.service"
local shell = require "alicloud.base.shell"
local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.Explanation
---@field code string
---@field product? string product whose code it is; nil for codes of this program
---@field status? integer usual HTTP status
---@field meaning string
---@field fault? string whose fault it is; nil for codes of this program, whose meaning says it
---@field known string what is known of its effect
---@field outcome? alicloud.Outcome
---@field resend string whether and when sending again is safe
---@field cure string
---@field operations string[] operations that document the code
---@field next string[] two commands
local Explanation = {}
Explanation.__index = Explanation
Explanation.__name = "alicloud.Explanation"

-- Most operations that are named; further ones are counted.
local MOST_NAMED = 4

local PRODUCTS = { "ebs", "ecs" }

local KNOWN = {
  not_sent = "nothing was sent, so nothing was done",
  rejected = "the service refused it, nothing was done",
  unknown = "it may have been done; the answer does not tell",
  accepted = "the service took it and then reported its own failure",
}
local DEPENDS = "that depends on how far the call had come: the field outcome of the error tells"

-- Whether sending again is safe, by the class of the retry policy.
local RESEND = {
  throttle = "safe after the wait that the service asks for; calls wait by themselves",
  clock = "safe once the clocks agree; a call mends that once by itself, from the server's date",
  credentials = "safe with fresh credentials",
  nonce = "a copy of the request got through before: look first",
  pending = "an earlier request is still at work: do not send again, look until it has ended",
}
local RESEND_BY_OUTCOME = {
  not_sent = "safe",
  rejected = "safe, but the answer stays the same until its cause is gone",
  unknown = "only after a look that shows no effect, with the same client token, and soon",
  accepted = "only as a new failover, after a look",
}

-- Whose fault it is: by the class of the retry policy, else by the first pattern that fits the
-- code.
local FAULT_OF_CLASS = {
  throttle = "the calls of the whole account, which share one quota",
  clock = "the clock of this machine, most likely",
  credentials = "the credentials",
  nonce = "something on the way that repeats requests",
  pending = "an earlier request that is still at work",
  server = "the service",
}
local FAULTS = {
  { "^InvalidAccessKeyId", "the credentials" },
  { "^InvalidSecurityToken", "the credentials" },
  { "Signature", "the secret, or what changes requests on their way" },
  { "^InvalidTimeStamp", "the clock of this machine, or what changes requests on their way" },
  { "Idempoten", "whoever used the token before" },
  { "^Forbidden", "the rights of the credentials" },
  { "^NoPermission", "the rights of the credentials" },
  { "Balance", "the account: it is out of money" },
  { "Arrears", "the account: it is out of money" },
  { "WhiteList", "the account: it has not been let in" },
  { "Quota", "the account: a quota is used up" },
  { "TooMuchEmptyGroup", "the account: a quota is used up" },
  { "^InvalidDisk%.", "the state of what was asked for" },
  { "^InvalidOperation%.Disk", "the state of what was asked for" },
  { "^InvalidInstance%.", "the state of what was asked for" },
  { "NoStock", "the zone, which has no room" },
  { "^Invalid", "the request" }, { "^Missing", "the request" },
  { "^NoSuchResource", "the request" }, { "^NumberExceed", "the request" },
  { "^Duplicate", "the request" },
  { "^Unsupported", "the request" }, { "^DiskId%.Value", "the request" },
  { "^DeleteWithInstance", "the request" }, { "^DryRun", "nobody: a check was asked for" },
  { "DestRegion$", "the request: it asked the other site" },
  { "OperateNotAllowedFor", "the request: it asked the other site" },
}

local function fault_of(code, class, status)
  if FAULT_OF_CLASS[class] then return FAULT_OF_CLASS[class] end
  for _, fault in ipairs(FAULTS) do
    if code:find(fault[1]) then return fault[2] end
  end
  return (status or 0) >= 500 and "the service" or "the state of what was asked for"
end

-- Outcome and retry class of a code of the service: those of a refusal with this code.
local function classify(code, status)
  local _, failure = core.read({
    status = status or 400, headers = {},
    body = core.encode { Code = code, RequestId = "explained", Message = "" },
  }, {})
  return failure.outcome, failure.retry_class
end

local function entry_for(code)
  local own = codes[code] or dr_codes[code]
  if own then return own, nil end
  for _, product in ipairs(PRODUCTS) do
    local entry = services.data(product).errors[code]
    if entry then return entry, product end
  end
end

-- The entry of a code, else that of its parent: Throttling for Throttling.Something.
local function lookup(code)
  local word = code
  while word do
    local entry, product = entry_for(word)
    if entry then return entry, product, word end
    word = word:match "^(.*)%.[^%.]*$"
  end
end

local function known_codes()
  local names = {}
  for name in pairs(codes) do names[name] = true end
  for name in pairs(dr_codes) do names[name] = true end
  for _, product in ipairs(PRODUCTS) do
    for name in pairs(services.data(product).errors) do names[name] = true end
  end
  return names
end

--- Every code that can be explained.
---@return string[] sorted
function M.codes()
  return tables.keys(known_codes())
end

local function operations_with(product, code)
  local list = {}
  for action, operation in pairs(product and services.data(product).operations or {}) do
    for _, listed in ipairs(operation.errors or {}) do
      if listed == code then list[#list + 1] = action end
    end
  end
  table.sort(list)
  return list
end

local FAILOVER = "FailoverDiskReplicaGroup"

-- Commands that only read are always safe to print; a failover is printed only for the same failed
-- call, with its token.
local function next_steps(fields, err)
  local group = err.group_id or "GROUP"
  local region = err.region or "REGION"
  local place = shell.option("--region", region)
  local look = shell.command("status", { group }, { place })
  if err.kind == "credentials" or fields.retry_class == "credentials" then
    return { "alicloud-dr whoami", look }
  end
  if err.action == FAILOVER and fields.outcome == "unknown" and err.client_token then
    return { look, shell.command("failover", { group },
      { place, shell.option("--client-token", err.client_token) }) }
  end
  if err.action and err.action:find "Drill$" then
    return { look, shell.command("drill list", { group }, { place }) }
  end
  return { look, shell.command("precheck", { group }, { place }) }
end

local function resend_text(outcome, class)
  return RESEND[class] or RESEND_BY_OUTCOME[outcome]
    or "look at the resource first, and use the same client token"
end

local function build(code, entry, product, err)
  local outcome, class = entry.outcome, nil
  if product then outcome, class = classify(code, entry.status) end
  outcome = err.outcome or outcome
  local fields = { outcome = outcome, retry_class = class }
  return setmetatable({
    code = code, product = product, status = err.status or entry.status,
    fault = product and fault_of(code, class, entry.status) or nil,
    meaning = entry.meaning, outcome = outcome,
    known = entry.known or KNOWN[outcome] or DEPENDS,
    resend = entry.resend or resend_text(outcome, class), cure = err.hint or entry.cure,
    operations = operations_with(product, code), next = next_steps(fields, err),
  }, Explanation)
end

--- Explains a code as the service or this library prints it.
---@param code string
---@return alicloud.Explanation|nil
---@return string? complaint with the nearest known code
function M.code(code)
  if type(code) ~= "string" or code == "" then
    error(("explain: code: got %s; allowed: text"):format(schema.show(code)), 2)
  end
  local entry, product = lookup(code)
  if entry then return build(code, entry, product, {}) end
  return nil, ("the code %s is not known%s; allowed: a code as errors print it"):format(
    schema.show(code), schema.did_you_mean(code, known_codes()))
end

--- Explains an error with what it knows of itself: outcome, group, token.
---@param err alicloud.Error
---@return alicloud.Explanation
function M.error(err)
  if not errors.is_error(err) then
    error(("explain: got %s; allowed: an error of this library"):format(schema.show(err)), 2)
  end
  local entry, product = lookup(err.code)
  return build(err.code, entry or { meaning = err.message, cure = "read the message" },
    product, err)
end

--- Explains a code, or an error object.
---@param what string|alicloud.Error
---@return alicloud.Explanation|nil
---@return string? complaint
function M.explain(what)
  if type(what) == "string" then return M.code(what) end
  return M.error(what)
end

function Explanation:__tostring()
  local lines = {
    self.code .. (self.status and (" (HTTP %d)"):format(self.status) or ""),
    "  cause        " .. self.meaning,
    "  known        " .. self.known,
    "  send again   " .. self.resend,
    "  what to do   " .. self.cure,
  }
  if self.fault then table.insert(lines, 3, "  whose fault  " .. self.fault) end
  local count = #self.operations
  if count > 0 then
    local names = count <= MOST_NAMED and table.concat(self.operations, ", ")
      or count .. " operations"
    table.insert(lines, 2, "  told by      " .. names)
  end
  lines[#lines + 1] = "  next         " .. self.next[1]
  lines[#lines + 1] = "               " .. self.next[2]
  return table.concat(lines, "\n")
end

return M
