--- What a provider may use: the clocks and files of its client, its loop, and its ways out. A
--- provider opens nothing before it is asked.

local contexts = require "alicloud.call.context"
local guard = require "alicloud.base.guard"

local M = {}

---@class alicloud.credentials.Context
---@field runtime alicloud.Runtime
---@field loop alicloud.Loop
---@field config alicloud.ClientOptions of the client, which say how the network is reached
---@field warn fun(message: string) for whoever looks after this machine; holds no secret
---@field send fun(request: alicloud.Request, way: "usual"|"metadata"): alicloud.Exchange
---@field close fun()

-- Keys are asked for by clients that only observe, too. The metadata service is a neighbour: what
-- stands between is not a network but a mistake.
local WAYS = {
  usual = { observe = false, connect_timeout = 5 },
  metadata = { observe = false, connect_timeout = 1, proxy = "none" },
}

---@class alicloud.credentials.Settings what a client is made by; its call context is one
---@field runtime alicloud.Runtime
---@field loop alicloud.Loop
---@field config alicloud.ClientOptions without keys

--- Makes a context.
---@param settings alicloud.credentials.Settings
---@return alicloud.credentials.Context
function M.new(settings)
  local adapters, warned = {}, {}
  local context = { runtime = settings.runtime, config = settings.config,
    loop = contexts.loop_for(settings.loop, settings.runtime) }

  -- Files are read again and again; what is wrong with one is said once.
  function context.warn(message)
    if warned[message] then return end
    warned[message] = true
    guard.call(settings.runtime.warn, message)
  end

  function context.send(request, way)
    adapters[way] = adapters[way] or contexts.new_adapter(context, WAYS[way])
    return adapters[way].send(request)
  end

  function context.close()
    for _, adapter in pairs(adapters) do adapter.close() end
    adapters = {}
  end

  return context
end

return M
