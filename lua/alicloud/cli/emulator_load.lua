--- `alicloud-dr emulator --load`: replays the calls of a day against the quotas on a virtual clock.
--- It does so twice: with the calls as they were made, counted by the emulator's gateway, and with
--- a client that limits its own rate, which waits instead of being throttled.

local alicloud = require "alicloud"
local core = require "alicloud.core"
local emulator = require "alicloud.emulator"
local formats = require "alicloud.base.formats"
local moment = require "alicloud.base.moment"
local output = require "alicloud.cli.output"
local quotas = require "alicloud.emulator.gateway.quotas"
local rate_limit = require "alicloud.call.rate_limit"
local services = require "alicloud.service"
local slots = require "alicloud.call.slots"
local tables = require "alicloud.base.tables"
local terminal = require "alicloud.cli.terminal"

local M = {}

---@class alicloud.cli.LoadLine a number of calls of an operation, spread evenly over some seconds
---@field at number seconds, since any moment that all lines share
---@field product string
---@field action string
---@field region string
---@field count integer
---@field over number

local MOST_CALLS, DEFAULT_REGION = 1000000, "cn-shanghai"
-- Longest time in seconds, between calls and of one line: a year.
local LONGEST = 366 * 86400
local PRODUCTS = { "ebs", "ecs", "sts" }
local KNOWN = tables.set(PRODUCTS)
local FIELDS = tables.set { "at", "product", "action", "region", "count", "over" }

local function is_number(value, least, most)
  return type(value) == "number" and value >= least and value <= most
end

local function operation_of(product, action)
  return services.data(product).operations[action]
end

local function product_of(action)
  for _, product in ipairs(PRODUCTS) do
    if operation_of(product, action) then return product end
  end
end

local function refused(field, value, allowed)
  return nil, ("%s: got %s; allowed: %s"):format(field, terminal.clean(tostring(value), 60),
    allowed)
end

-- Names another product that has the operation, if there is one: the line may lack its product.
local function refused_action(line)
  local other = product_of(line.action)
  if other then
    return refused("action", line.action, ('an operation of %s; %s has it: "product": "%s"'):format(
      line.product, other, other))
  end
  return refused("action", line.action, "an operation of ebs, ecs or sts")
end

-- Refuses unknown fields of a line that a person wrote: they may be mistyped.
local function unknown_field(record)
  for _, name in ipairs(tables.keys(record)) do
    if not FIELDS[name] then
      return ("no field %s; allowed: at, product, action, region, count, over"):format(
        terminal.clean(tostring(name), 60))
    end
  end
end

local function check_numbers(line)
  if not is_number(line.at, 0, math.huge) then
    return refused("at", line.at, "seconds, 0 or more")
  end
  if math.type(line.count) ~= "integer" or not is_number(line.count, 1, MOST_CALLS) then
    return refused("count", line.count, ("a whole number from 1 to %d"):format(MOST_CALLS))
  end
  if not is_number(line.over, 0, LONGEST) then
    return refused("over", line.over, ("seconds from 0 to %d"):format(LONGEST))
  end
  return true
end

-- Many programs write integers as floats.
local function whole(value)
  return math.type(value) == "float" and math.tointeger(value) or value
end

-- Reads a line. A line of a recording has `n`, and its time as a date; its lines without an action
-- hold no call and give nil.
local function read_line(record)
  local recorded = record.n ~= nil
  if recorded and record.action == nil then return nil end
  local fault = not recorded and unknown_field(record)
  if fault then return nil, fault end
  local at = recorded and type(record.at) == "string" and moment.from_rfc3339(record.at)
  local line = { at = at or record.at, product = record.product or "ebs", action = record.action,
    region = record.region or DEFAULT_REGION, count = whole(record.count or 1),
    over = record.over or 0 }
  local ok, message = check_numbers(line)
  if not ok then return nil, message end
  if not KNOWN[line.product] then
    return refused("product", line.product, "ebs, ecs, sts")
  end
  if not operation_of(line.product, line.action) then return refused_action(line) end
  if not formats.REGION.test(line.region) then
    return refused("region", line.region, "a region such as cn-shanghai")
  end
  return line
end

local function add_calls(calls, line)
  for i = 0, line.count - 1 do
    calls[#calls + 1] = { at = line.at + i * line.over / line.count, line = line }
  end
end

--- Reads the calls of a day.
---@param text string JSON lines
---@return { at: number, line: alicloud.cli.LoadLine }[]|nil calls, the earliest first
---@return string? message
function M.read(text)
  local calls, number = {}, 0
  for row in (text .. "\n"):gmatch "(.-)\r?\n" do
    number = number + 1
    local record, line, fault = row ~= "" and core.decode(row), nil, nil
    if row ~= "" and type(record) ~= "table" then fault = "no JSON object" end
    if not fault and record then line, fault = read_line(record) end
    if not fault and line and #calls + line.count > MOST_CALLS then
      fault = ("more than %d calls"):format(MOST_CALLS)
    end
    if fault then return nil, ("line %d: %s"):format(number, fault) end
    if line then add_calls(calls, line) end
  end
  if #calls == 0 then return nil, "holds no call" end
  -- Calls of the same moment stay in the order of the file.
  for i, call in ipairs(calls) do call.n = i end
  table.sort(calls, function(a, b)
    if a.at ~= b.at then return a.at < b.at end
    return a.n < b.n
  end)
  if calls[#calls].at - calls[1].at > LONGEST then return nil, "is longer than a year" end
  return calls
end

---@class alicloud.cli.LoadRow
---@field operation string product:action
---@field region string
---@field calls integer
---@field most integer calls in the fullest second
---@field throttled integer calls that are throttled if made as in the file
---@field quota number calls per second that the account has
---@field waited number seconds that all calls wait in a client that limits its rate
---@field longest_wait number seconds that one of them waits

local function row_of(rows, settings, line)
  local name = line.product .. ":" .. line.action
  local key = line.region .. " " .. name
  local row = rows[key]
  if not row then
    row = { operation = name, region = line.region, calls = 0, most = 0, throttled = 0,
      quota = quotas.limit(settings, line.action), waited = 0, longest_wait = 0, in_second = 0 }
    rows[key] = row
  end
  return row
end

-- Counts throttled calls; they are not retried. Full minutes are those of the file's clock.
local function count_throttled(emu, calls, rows)
  local began = (emu:now() - calls[1].at) // 60 * 60
  for _, call in ipairs(calls) do
    local line, now = call.line, began + call.at
    local row = row_of(rows, emu.settings, line)
    row.calls = row.calls + 1
    if row.second ~= now // 1 then row.second, row.in_second = now // 1, 0 end
    row.in_second = row.in_second + 1
    row.most = math.max(row.most, row.in_second)
    if quotas.take(emu, { product = line.product, action = line.action,
      endpoint_region = line.region, params = {} }, now) then
      row.throttled = row.throttled + 1
    end
  end
end

local function pass(loop, limiter, call, row)
  local line = call.line
  local operation = operation_of(line.product, line.action)
  local plan = { region = line.region, title = row.operation, action = line.action,
    data = services.data(line.product), mutating = operation.mutating }
  local came = loop.now()
  local turn <close> = rate_limit.turn(limiter, plan, loop)
  local passed = assert(slots.take(turn, came, math.huge))
  turn.holds = "sent"
  row.waited, row.longest_wait = row.waited + passed - came,
    math.max(row.longest_wait, passed - came)
end

-- The rate limit of a client that knows the quota of each operation, as the emulator has it.
local function limiter_of(rows, settings)
  local quota = {}
  for _, row in pairs(rows) do
    local action = row.operation:match "[^:]*$"
    quota[action] = quotas.limit(settings, action)
  end
  return assert(rate_limit.new { actions = quota })
end

-- Sends the calls through a client's rate limit, and counts the waits; answers come at once.
local function count_waits(loop, calls, rows, settings)
  local limiter, began = limiter_of(rows, settings), loop.now()
  loop.scope(function(scope)
    for _, call in ipairs(calls) do
      local left = began + call.at - calls[1].at - loop.now()
      if left > 0 then loop.sleep(left) end
      scope:spawn(pass, loop, limiter, call, row_of(rows, settings, call.line))
    end
  end)
end

--- Replays the calls in both ways.
---@param calls { at: number, line: alicloud.cli.LoadLine }[]
---@param emu alicloud.emulator.Emulator has the quotas
---@return alicloud.cli.LoadRow[] by region and operation
function M.replay(calls, emu)
  local regions, rows = {}, {}
  for _, call in ipairs(calls) do regions[call.line.region] = true end
  emu:reset { regions = tables.keys(regions) }
  count_throttled(emu, calls, rows)
  local client <close> = alicloud.client { region = DEFAULT_REGION, transport = emu.transport,
    runtime = emu.runtime, access_key_id = emu.access_key_id,
    access_key_secret = emu.access_key_secret }
  count_waits(client.loop, calls, rows, emu.settings)
  local list = {}
  for i, key in ipairs(tables.keys(rows)) do
    list[i] = rows[key]
    list[i].in_second, list[i].second = nil, nil
  end
  return list
end

local HEAD = "  %-31s%7s%9s%10s%10s%10s\n"
local ROW = "  %-31s%7d%9s%10d%10.1f%10.1f\n"

-- Rows of at most 80 columns below the name of their region.
local function print_rows(io, rows)
  local region
  for _, row in ipairs(rows) do
    if row.region ~= region then
      region = row.region
      io.out(HEAD:format(terminal.clean(region, 31) .. ":", "calls", "most/s", "throttled",
        "waited s", "longest s"))
    end
    io.out(ROW:format(terminal.clean(row.operation), row.calls,
      ("%d/%g"):format(row.most, row.quota), row.throttled, row.waited, row.longest_wait))
  end
end

-- Options about serving requests, worlds and time, which a replay does not use.
local UNUSED = { "port", "host", "world", "world_from", "faults", "region_ports", "any_key",
  "ecs_role", "step", "speed", "skew", "seed", "hostile", "until_eof", "list_scenarios",
  "list_assumptions" }

--- The first typed option that a replay does not use; nil if there is none.
---@param args table
---@return string|nil option
function M.unused(args)
  for _, name in ipairs(UNUSED) do
    local value = args[name]
    if value and not (type(value) == "table" and #value == 0) then
      return "--" .. name:gsub("_", "-")
    end
  end
end

--- Replays the calls of a file and shows the result.
---@param args table
---@param io alicloud.cli.Io
---@param text string of the file
---@param options table of `emulator.new`
---@return integer|nil exit_code
---@return string? message
function M.run(args, io, text, options)
  local calls, message = M.read(text)
  if not calls then return nil, message end
  options.assume = tables.merged({ throttle = "second" }, options.assume)
  local rows = M.replay(calls, emulator.new { assume = options.assume, world = {} })
  if args.json then
    return output.json(io, output.EXIT.done, { load = core.array(rows), calls = #calls,
      throttle = options.assume.throttle, seconds = calls[#calls].at - calls[1].at })
  end
  io.out(("%d %s in %.0f s; the emulator assumes throttle=%s\n"):format(#calls,
    #calls == 1 and "call" or "calls", calls[#calls].at - calls[1].at, options.assume.throttle))
  print_rows(io, rows)
  return output.EXIT.done
end

return M
