--- Plays a recording: a transport that gives the recorded answers and sends nothing. It needs no
--- credentials. Requests are values here, so nothing is signed, but the client classifies answers
--- as those of a network.
--
-- strict: the requests must come in the recorded order, with the same parameters.
-- lenient: requests may come in any order. A read is matched by its action, its region and its ids,
-- and its last answer is repeated; a change is matched by all its parameters, and is answered as
-- often as it was recorded.
--
-- Tokens, nonces and dates are new in every run and are never compared. Pauses between attempts are
-- new, too: a call that is retried up to its deadline may make one attempt more or less.

local core = require "alicloud.core"
local ids = require "alicloud.emulator.model.ids"
local reading = require "alicloud.conformance.recording.reading"
local schema = require "alicloud.base.schema"
local tables = require "alicloud.base.tables"

local M = {}

M.MODES = { "strict", "lenient" }

local OPTIONS = {
  mode = schema.choice("strict", "lenient"),
  read_file = schema.callable,
}

-- Parameters that are new in every run, or are compared elsewhere.
local VOLATILE = {
  AccessKeyId = true, Action = true, ClientToken = true, Format = true, SecurityToken = true,
  Signature = true, SignatureMethod = true, SignatureNonce = true, SignatureType = true,
  SignatureVersion = true, Timestamp = true, Version = true,
}

-- Operations by which a client gets session keys; a replay does not need them.
local OF_KEYS = { AssumeRole = true, AssumeRoleWithOIDC = true }

local function essence(params)
  local kept = {}
  for name, value in pairs(params) do
    if not VOLATILE[name] then kept[name] = tostring(value) end
  end
  return kept
end

-- Whether a parameter names records or a part of a list.
local function is_telling(name)
  return name:find "Ids?$" ~= nil or name:find "Ids?%.%d+$" ~= nil or name == "Site"
    or name == "NextToken" or name == "PageNumber"
end

-- Sorts a list of ids, whose order has no meaning.
local function sorted_ids(name, value)
  if not name:find "Ids$" then return value end
  local list = {}
  for id in value:gmatch "[%w_.-]+" do list[#list + 1] = id end
  table.sort(list)
  return table.concat(list, ",")
end

local function key_of(request, wants)
  local parts = { request.product, request.action, request.region or "" }
  local params = essence(request.params)
  for _, name in ipairs(tables.keys(params)) do
    if wants(name) and name ~= "RegionId" then
      parts[#parts + 1] = name .. "=" .. sorted_ids(name, params[name])
    end
  end
  return table.concat(parts, "\0")
end

local function all() return true end

local function same(left, right)
  for name, value in pairs(left) do
    if right[name] ~= value then return false end
  end
  for name in pairs(right) do
    if left[name] == nil then return false end
  end
  return true
end

-- A request in a few words, for messages: action, ids, region.
local function words_of(request)
  local named = {}
  for _, name in ipairs(tables.keys(request.params)) do
    local value = tostring(request.params[name])
    if is_telling(name) and not VOLATILE[name] and name ~= "RegionId" and name ~= "Site" then
      named[#named + 1] = value
    end
  end
  local whom = #named > 0 and " of " .. table.concat(named, " ") or ""
  return ("%s%s%s"):format(request.action, whom,
    request.region and " in " .. request.region or "")
end

local function add_ids(found, value)
  if type(value) ~= "table" then return end
  for key, each in pairs(value) do
    if (key == "ReplicaGroupId" or key == "ReplicaPairId") and type(each) == "string" then
      found[each] = each ~= "" or nil
    end
    add_ids(found, each)
  end
end

--- The ids of groups and pairs that a recording knows.
---@param recording alicloud.conformance.Recording
---@return string[]
function M.ids_of(recording)
  local found = {}
  for _, exchange in ipairs(recording.exchanges) do
    add_ids(found, exchange.params)
    if exchange.response then add_ids(found, exchange.response.json) end
  end
  return tables.keys(found)
end

--- The regions that a recording has asked.
---@param recording alicloud.conformance.Recording
---@return string[]
function M.regions_of(recording)
  local found = {}
  for _, exchange in ipairs(recording.exchanges) do
    if exchange.region then found[exchange.region] = true end
  end
  return tables.keys(found)
end

---@class alicloud.conformance.Replay: alicloud.ForeignTransport
---@field recording alicloud.conformance.Recording
---@field mode "strict"|"lenient"
---@field position integer index of the exchange that was played last, strict mode only
---@field played table<table, integer> by exchange: how often it was played
---@field complaints string[] requests that were not recorded
---@field now number unix seconds
local Replay = {}
local replay_mt = { __name = "alicloud.conformance.Replay", __index = Replay }

local MOST_NAMES, MOST_PLACES = 12, 4

-- Where the recording has the same action, as a hint.
local function whereabouts(self, request)
  local found, told = {}, {}
  for _, exchange in ipairs(self.recording.exchanges) do
    local words = words_of(exchange)
    if exchange.action == request.action and not told[words] then
      told[words] = true
      found[#found + 1] = ("line %d: %s"):format(exchange.line, words)
    end
  end
  if #found > 0 then
    local shown = table.concat(found, "; ", 1, math.min(#found, MOST_PLACES))
    return ("the recording has it elsewhere: %s%s"):format(shown,
      #found > MOST_PLACES and "; …" or "")
  end
  return "the recording has no such action at all"
end

-- A hint for users who give ids of the account: it lists the pseudonyms in the recording.
local function names_hint(self, request)
  local known, list = {}, M.ids_of(self.recording)
  for _, id in ipairs(list) do known[id] = true end
  for name, value in pairs(request.params) do
    if name == "ReplicaGroupId" or name == "GroupIds" or name == "ReplicaPairId"
      or name == "PairIds" then
      for id in tostring(value):gmatch "[^,%s]+" do
        if not known[id] then
          local shown = table.concat(list, ", ", 1, math.min(#list, MOST_NAMES))
          return ("; it does not know %s: ids in it are %s%s"):format(id,
            shown ~= "" and shown or "none", #list > MOST_NAMES and ", …" or "")
        end
      end
    end
  end
  return ""
end

local function refuse(self, request, hint)
  local message = ("%s was not recorded in %s and was not sent"):format(words_of(request),
    self.recording.name)
  table.insert(self.complaints, message .. ": " .. hint)
  return nil, { kind = "state", code = "Client.NotRecorded", message = message,
    outcome = "not_sent", retry_class = "never", retryable = false,
    hint = hint .. names_hint(self, request) }
end

local function fits(exchange, request)
  return exchange.product == request.product and exchange.action == request.action
    and same(essence(exchange.params), essence(request.params))
end

-- A file may hold several commands. The first request decides which of them is played.
local function find_command(self, request)
  local command
  for i, exchange in ipairs(self.recording.exchanges) do
    local is_first = exchange.command ~= command
    if OF_KEYS[exchange.action] then is_first = false else command = exchange.command end
    if is_first and fits(exchange, request) then
      self.position = i - 1
      return
    end
  end
end

local function next_in_order(self, request)
  if self.position == 0 then find_command(self, request) end
  local exchange = self.recording.exchanges[self.position + 1]
  while exchange and OF_KEYS[exchange.action] do
    self.position = self.position + 1
    self.played[exchange] = 1
    exchange = self.recording.exchanges[self.position + 1]
  end
  if not exchange then return refuse(self, request, "the recording is at its end") end
  if not fits(exchange, request) then
    return refuse(self, request, ("line %d has %s now"):format(exchange.line,
      words_of(exchange)))
  end
  self.position = self.position + 1
  return exchange
end

local function entries_for(self, request)
  return self.changes[key_of(request, all)] or self.reads[key_of(request, is_telling)]
end

local function next_of_kind(self, request)
  local entries = entries_for(self, request)
  if not entries then return refuse(self, request, whereabouts(self, request)) end
  local exchange = entries[entries.next]
  if not exchange then
    return refuse(self, request, ("the recording has it %d times, at last in line %d"):format(
      #entries, entries[#entries].line))
  end
  local repeats = not exchange.mutating and entries.next == #entries
  entries.next = repeats and entries.next or entries.next + 1
  return exchange
end

local function body_of(response)
  if response.text then return response.text end
  return response.json ~= nil and core.encode(response.json) or ""
end

local function play(self, request)
  local exchange, refusal
  if self.mode == "strict" then
    exchange, refusal = next_in_order(self, request)
  else
    exchange, refusal = next_of_kind(self, request)
  end
  if not exchange then return nil, refusal end
  self.played[exchange] = (self.played[exchange] or 0) + 1
  -- The clock never goes back, also when an earlier answer is repeated.
  self.now = math.max(self.now, exchange.at) + exchange.ms / 1000
  local failure, response = exchange.failure, exchange.response
  if failure then
    return { failure = failure.kind, sent = failure.sent, detail = failure.detail }
  end
  return { status = response.status, headers = tables.copy(response.headers),
    body = body_of(response) }
end

local function perform(self, request)
  local exchange, refusal = play(self, request)
  return exchange or { err = refusal }
end

-- Reads action, region and parameters from a signed request.
local function read_signed(request)
  local params = {}
  local headers = request.headers or {}
  local is_form = (headers["content-type"] or ""):find("urlencoded", 1, true)
  for _, text in ipairs { request.url:match "%?(.*)$" or "", is_form and request.body or "" } do
    for encoded, value in text:gmatch "([^&=]+)=([^&]*)" do
      params[core.percent_decode(encoded)] = core.percent_decode(value)
    end
  end
  local host = request.host or request.url:match "^%a+://([^/?#]+)" or ""
  return { product = host:match "^(%a+)[.-]" or "ebs", region = params.RegionId, params = params,
    action = request.action or headers["x-acs-action"] or params.Action or "?" }
end

local function send(self, request)
  local exchange, refusal = play(self, read_signed(request))
  if exchange then return exchange end
  return nil, { sent = "no", message = refusal.message }
end

-- Groups the exchanges by key, each group in recorded order.
local function index(self)
  for _, exchange in ipairs(self.recording.exchanges) do
    local map = exchange.mutating and self.changes or self.reads
    local key = key_of(exchange, exchange.mutating and all or is_telling)
    map[key] = map[key] or { next = 1 }
    table.insert(map[key], exchange)
  end
end

--- Clocks, sleep and random numbers of a replay: a wait takes no time, answers come at the recorded
--- times, and two replays draw the same tokens. The rest of a runtime is the host's.
---@return table runtime  overrides of alicloud.Runtime
function Replay:runtime()
  if self.own_runtime then return self.own_runtime end
  local function now() return self.now end
  local drawn = ids.new(1)
  self.own_runtime = {
    time = now, monotonic = now, boottime = now,
    sleep = function(seconds) self.now = self.now + math.max(0, seconds) end,
    random = function() return drawn:random() end,
    random_hex = function(bytes) return drawn:random_hex(bytes) end,
  }
  return self.own_runtime
end

--- Options for a client that plays the recording; `region` is set if the recording has only one.
---@return alicloud.ClientOptions
function Replay:options()
  local regions = M.regions_of(self.recording)
  return { transport = self, runtime = self:runtime(), region = #regions == 1 and regions[1] or nil,
    access_key_id = "replay", access_key_secret = "replay" }
end

-- The commands of which at least one exchange was played, strict mode only; nil: all count.
local function commands_played(self)
  if self.mode ~= "strict" or self.position == 0 then return nil end
  local set = {}
  for exchange in pairs(self.played) do set[exchange.command] = true end
  return set
end

--- Compares what was asked with what was recorded.
---@return true|nil ok
---@return string? message a line for each request not recorded and each exchange not asked for
---@return alicloud.conformance.RecordedExchange[]? left exchanges that were not asked for
function Replay:finish()
  local told, left = table.move(self.complaints, 1, #self.complaints, 1, {}), {}
  local meant = commands_played(self)
  for _, exchange in ipairs(self.recording.exchanges) do
    local counts = not OF_KEYS[exchange.action] and (not meant or meant[exchange.command])
    if counts and not self.played[exchange] then
      left[#left + 1] = exchange
      told[#told + 1] = ("line %d was not asked for: %s"):format(exchange.line,
        words_of(exchange))
    end
  end
  if #told == 0 then return true end
  return nil, table.concat(told, "\n"), left
end

--- Makes the transport of a recording.
---@param recording alicloud.conformance.Recording
---@param mode? "strict"|"lenient" (strict)
---@return alicloud.conformance.Replay
function M.new(recording, mode)
  local start = recording.exchanges[1].at
  local self = setmetatable({ recording = recording, mode = mode or "strict", position = 0,
    played = {}, complaints = {}, now = start, changes = {}, reads = {} }, replay_mt)
  index(self)
  function self.perform(request) return perform(self, request) end
  function self.send(request) return send(self, request) end
  return self
end

--- Opens a recording.
---@param path string
---@param given? { mode: "strict"|"lenient"?, read_file: function? }
---@return alicloud.conformance.Replay|nil
---@return alicloud.Error? err
function M.open(path, given)
  local options = schema.check("replay.open", given, OPTIONS, 2)
  local recording, err = reading.open(path, options.read_file)
  if not recording then return nil, err end
  return M.new(recording, options.mode)
end

return M
