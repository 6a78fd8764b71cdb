--- What a provider may use: the clocks and files of its client, its loop, and its ways to the
--- network. Nothing is opened before a request is sent.

local contexts = require "alicloud.call.context"
local guard = require "alicloud.base.guard"

local M = {}

---@class alicloud.credentials.Context
---@field runtime alicloud.Runtime
---@field loop alicloud.Loop
---@field config alicloud.ClientOptions of the client; they say how the network is reached
---@field warn fun(message: string) one line for the operator, given once; holds no secret
---@field send fun(request: alicloud.Request, way: "usual"|"metadata"): alicloud.Exchange metadata:
---without a proxy
---@field close fun()

-- Transport options of each way. Keys are also requested for clients that only observe. The
-- metadata service is next to this machine: a proxy in between would be a mistake.
local WAYS = {
  usual = { observe = false, connect_timeout = 5 },
  metadata = { observe = false, connect_timeout = 1, proxy = "none" },
}

---@class alicloud.credentials.Settings what is needed of a client; its call context has all of it
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

  -- Files are read again and again, so each warning is given once.
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
