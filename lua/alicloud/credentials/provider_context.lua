--- What a provider may use: the clocks and files of its client, its loop, and its ways out. A
--- provider opens nothing before it is asked.

local guard = require "alicloud.base.guard"

local M = {}

---@class alicloud.credentials.Context
---@field runtime alicloud.Runtime
---@field loop alicloud.Loop
---@field local_endpoint string|nil the client's endpoint, where it is this very machine
---@field warn fun(message: string) for whoever looks after this machine; holds no secret
---@field client fun(options: table): alicloud.Client over the same transport options
---@field meta fun(result: table): alicloud.Meta of a call's result
---@field send fun(request: alicloud.Request, way: "usual"|"metadata"): alicloud.Exchange
---@field close fun()

-- Keys are asked for by clients that only observe, too. The metadata service is a neighbour: what
-- stands between is not a network but a mistake.
local WAYS = {
  usual = { observe = false, connect_timeout = 5 },
  metadata = { observe = false, connect_timeout = 1, proxy = "none" },
}

---@class alicloud.credentials.Means
---@field runtime alicloud.Runtime
---@field loop alicloud.Loop
---@field local_endpoint? string
---@field client fun(options: table): alicloud.Client
---@field meta fun(result: table): alicloud.Meta
---@field carrier fun(settings: table): { send: function, close: function }

---@class alicloud.credentials.Makers
---@field client fun(options: table): alicloud.Client
---@field carrier fun(state: table, settings: table): { send: function, close: function }
---@field meta fun(result: table): alicloud.Meta
---@field options string[] names of the options that say how the network is reached

--- What a client lends: its runtime, its loop, and its ways to make clients and carriers like its
--- own.
---@param state table of the client
---@param makers alicloud.credentials.Makers
---@return alicloud.credentials.Means
function M.lend(state, makers)
  local function client(given)
    for _, name in ipairs(makers.options) do
      if given[name] == nil then given[name] = state.config[name] end
    end
    given.mode, given.runtime, given.loop = nil, state.runtime, state.loop
    return makers.client(given)
  end
  local endpoint = state.config.endpoint
  return {
    runtime = state.runtime, loop = state.loop, client = client, meta = makers.meta,
    local_endpoint = type(endpoint) == "string" and endpoint or nil,
    carrier = function(settings) return makers.carrier(state, settings) end,
  }
end

--- Makes a context from what a client lends.
---@param means alicloud.credentials.Means
---@return alicloud.credentials.Context
function M.new(means)
  local carriers = {}
  local context = { runtime = means.runtime, loop = means.loop, client = means.client,
    meta = means.meta, local_endpoint = means.local_endpoint }

  function context.warn(message)
    guard.call(means.runtime.warn, message)
  end

  function context.send(request, way)
    carriers[way] = carriers[way] or means.carrier(WAYS[way])
    return carriers[way].send(request)
  end

  function context.close()
    for _, carrier in pairs(carriers) do carrier.close() end
    carriers = {}
  end

  return context
end

return M
