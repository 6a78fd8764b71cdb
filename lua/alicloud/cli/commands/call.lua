--- `alicloud-dr call`: sends any operation and prints the answer as JSON.

local cli_clients = require "alicloud.cli.client"
local consents = require "alicloud.cli.consent"
local core = require "alicloud.core"
local guard = require "alicloud.base.guard"
local json = require "alicloud.cli.json"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local plans = require "alicloud.call.plan"
local schema = require "alicloud.base.schema"
local tables = require "alicloud.base.tables"

---@type alicloud.cli.Command
local M = {}

local EPILOG = [[
Parameters are spelled as the API spells them; dots reach into lists and maps. Before a call that
may change something the name of the operation is typed, or --yes is given. An operation reads if
its name begins with Describe, Get, List or the like.

Examples:
  alicloud-dr call DescribeDiskReplicaGroups --region cn-shanghai \
    Site=backup GroupIds=pg-orders
  alicloud-dr call DescribeDiskReplicaPairs --region cn-shanghai \
    Tag.1.Key=env Tag.1.Value=prod
  alicloud-dr call ecs:DescribeDisks --version 2014-05-26 \
    --region cn-shanghai RegionId=cn-shanghai

Exit codes: 0 done, 1 refused or failed, 2 usage, 3 outcome of a change unknown.]]

local ALLOWED = "Key=Value with a key of letters, digits and dots, e.g. Tag.1.Key=env"

function M.configure(command)
  command:argument("action", "Action, or product:Action (product: ebs).")
  command:argument("parameter", "Parameters of the operation.")
    :args "*"
    :argname "<Key=Value>"
  options.add_common(command, "Region to ask")
  command:option("--product", "Product, else ebs."):argname "<product>"
  command:flag("-y --yes", "Do not ask for the name of an operation that may change something.")
  command:option("--version", "API version, e.g. 2014-05-26; known for ebs.")
    :argname "<date>"
  command:epilog(EPILOG)
end

local function position(name)
  return name:find("^[1-9]%d*$") and math.tointeger(tonumber(name)) or name
end

-- Puts a value at a dotted key; false if something else is there already.
local function put(params, key, value)
  local names = {}
  for name in (key .. "."):gmatch("(.-)%.") do names[#names + 1] = position(name) end
  local node = params
  for i = 1, #names - 1 do
    if node[names[i]] == nil then node[names[i]] = {} end
    node = node[names[i]]
    if type(node) ~= "table" then return false end
  end
  local last = names[#names]
  if node[last] ~= nil then return false end
  node[last] = value
  return true
end

--- Reads `Key=Value` words; dots in a key reach into lists and maps.
---@param words string[]
---@return table params
function M.read_parameters(words)
  local params = {}
  for _, word in ipairs(words) do
    local key, value = word:match("^([%a][%w]*[%w%.]*)=(.*)$")
    if not key or key:find("%.%.") or key:find("%.$") then
      options.refuse(("parameter: got %s; allowed: %s"):format(schema.show(word), ALLOWED))
    end
    if not put(params, key, value) then
      options.refuse(("parameter %s: is given twice; allowed: once"):format(key))
    end
  end
  return params
end

local function indent(value, depth)
  local pad, inner = ("  "):rep(depth), ("  "):rep(depth + 1)
  if type(value) ~= "table" or next(value) == nil then return json.encode(value) end
  local parts = {}
  if core.is_array(value) then
    for i, element in ipairs(value) do parts[i] = inner .. indent(element, depth + 1) end
    return "[\n" .. table.concat(parts, ",\n") .. "\n" .. pad .. "]"
  end
  for i, name in ipairs(tables.keys(value)) do
    parts[i] = ("%s%s: %s"):format(inner, json.encode(name), indent(value[name], depth + 1))
  end
  return "{\n" .. table.concat(parts, ",\n") .. "\n" .. pad .. "}"
end

local function confirm(args, io, action, region, params)
  if args.yes then return true end
  consents.demand(args, io, "name of the operation")
  local question = ("  %s in %s may change something, with:\n  %s\n  Type %s to go on: "):format(
    action, region, indent(params, 1), action)
  return consents.read(io, question) == action
end

-- The error when the person does not agree.
local NOT_CONFIRMED = { kind = "cancelled", code = "Client.NotConfirmed", outcome = "not_sent",
  message = "the call was not confirmed, nothing was sent" }

function M.run(args, io)
  local params = M.read_parameters(args.parameter)
  local client <close>, region = cli_clients.open(args, io)
  local call_options = { region = region, product = args.product, version = args.version }
  local fine, complaint = client:validate(args.action, params, call_options)
  if not fine then options.refuse(complaint) end
  -- An action whose name does not say that it reads is taken for a change: the user is asked, and
  -- an unknown outcome has an exit code of its own.
  local action = args.action:gsub("^.*:", "")
  local reads = plans.reads_by_name(action)
  if not reads and not confirm(args, io, action, region, params) then
    return output.complain(io, args.json == true, output.EXIT.failed, NOT_CONFIRMED)
  end
  local ok, answer, err = guard.call(client.call, client, args.action, params, call_options)
  if not ok then options.refuse_misuse(answer) end
  if not answer and reads then cli_clients.diagnosed(client, err) end
  if not answer then return output.fail(io, args, err, not reads) end
  if args.json then return output.json(io, output.EXIT.done, tables.copy(answer)) end
  io.out(indent(answer, 0) .. "\n")
  return output.EXIT.done
end

return M
