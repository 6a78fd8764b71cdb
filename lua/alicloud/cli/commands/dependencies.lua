--- `alicloud-dr dependencies`: lists every host that a run needs, and its region. Sends nothing.

local cli_clients = require "alicloud.cli.client"
local core = require "alicloud.core"
local guard = require "alicloud.base.guard"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local run_store = require "alicloud.cli.run_store"
local tables = require "alicloud.base.tables"
local terminal = require "alicloud.cli.terminal"

---@type alicloud.cli.Command
local M = {}

local EPILOG = [[
A run must not depend on the region that it wants to leave. The list has the endpoints, the hosts of
the credentials, the proxy, the members of $ALICLOUD_DR_STORE and the hooks that are told of the
run; nothing is sent.

Examples:
  alicloud-dr dependencies --region cn-shanghai --failed-region cn-hangzhou
  alicloud-dr dependencies --region cn-shanghai --product ebs --product ecs \
    --hook https://chat.example/robot --json

Exit codes: 0 nothing lies in the failed region, 1 something does, 2 usage.]]

function M.configure(command)
  options.add_common(command, "Region that the run asks")
  command:option("--product", "Product whose endpoint is needed (ebs); again for another one.")
    :argname "<product>":count "*"
  command:option("--hook", "Address that is told of the run; again for another one.")
    :argname "<url>":count "*"
  command:epilog(EPILOG)
end

local PLACES = {
  machine = "this machine", instance = "this instance", unknown = "unknown, its name does not tell",
}

local function place_of(dependency)
  return dependency.region or PLACES[dependency.place]
end

local function lines(list)
  local width = 0
  for _, dependency in ipairs(list) do width = math.max(width, #dependency.host) end
  local text = {}
  for i, dependency in ipairs(list) do
    text[i] = ("  %s %-11s  %-" .. width .. "s  %s\n"):format(dependency.failed and "✘" or " ",
      dependency.purpose, terminal.clean(dependency.host), place_of(dependency))
  end
  return table.concat(text)
end

local function failed_hosts(list)
  local hosts = {}
  for _, dependency in ipairs(list) do
    if dependency.failed then hosts[#hosts + 1] = dependency.host end
  end
  return hosts
end

local function fault_of(list, region)
  local hosts = failed_hosts(list)
  if #hosts == 0 then return nil end
  return {
    kind = "state", code = "Client.FailedRegion", outcome = "not_sent",
    message = ("the run would depend on the failed region %s: %s"):format(region,
      table.concat(hosts, ", ")),
  }
end

function M.run(args, io)
  local client <close> = cli_clients.open(args, io)
  local products, hooks = args.product or {}, args.hook or {}
  local ok, list = guard.call(client.dependencies, client, {
    products = #products > 0 and products or nil, hooks = hooks,
    stores = run_store.members(cli_clients.runtime(io).getenv),
  })
  if not ok then options.refuse_misuse(list) end
  local fault = fault_of(list, args.failed_region)
  local code = fault and output.EXIT.failed or output.EXIT.done
  if args.json then
    local objects = core.array {}
    for i, dependency in ipairs(list) do objects[i] = tables.copy(dependency) end
    return output.json(io, code, { dependencies = objects, error = fault })
  end
  io.out(lines(list))
  return fault and output.complain(io, false, code, fault) or code
end

return M
