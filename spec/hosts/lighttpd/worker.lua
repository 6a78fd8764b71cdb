-- Carries out what the button spooled: `lua5.4 worker.lua DIR [once]`. Region and credentials come
-- from the environment. An order that was not finished is taken up again under its own token, and
-- what is done is written to DIR/results.jsonl before the next one begins.

local alicloud = require "alicloud"
local core = require "alicloud.core"
local dr = require "alicloud.dr"

local directory, once = arg[1], arg[2] == "once"
local client = alicloud.client {}

local function lines(name)
  local file <close> = io.open(directory .. "/" .. name, "rb")
  local list = {}
  -- The last line may still be under way.
  for line in (file and file:read "a" or ""):gmatch "([^\n]*)\n" do
    list[#list + 1] = assert(core.decode(line))
  end
  return list
end

local function finish(order, result, err)
  local file <close> = assert(io.open(directory .. "/results.jsonl", "ab"))
  assert(file:write(core.encode {
    token = order.token, group = order.group, user = order.user,
    outcome = result and result.outcome or err.outcome, error = err and tostring(err),
  }, "\n"))
end

local function carry_out()
  local known = {}
  for _, result in ipairs(lines "results.jsonl") do known[result.token] = true end
  for _, order in ipairs(lines "orders.jsonl") do
    if not known[order.token] then
      known[order.token] = true
      finish(order, dr.group(client, order.group):failover { client_token = order.token })
    end
  end
end

repeat
  carry_out()
  if not once then client.loop.sleep(1) end
until once
