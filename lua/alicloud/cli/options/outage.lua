--- Options for an outage of the cloud, for every command that talks to the service, and the
--- messages on standard error about waiting.

local duration = require "alicloud.base.duration"
local fold = require "alicloud.cli.fold"
local formats = require "alicloud.base.formats"
local lazy = require "alicloud.base.lazy"
local schema = require "alicloud.base.schema"
local terminal = require "alicloud.cli.terminal"

---@module "alicloud.cli.region_names"
local region_names = lazy.module "alicloud.cli.region_names"

local M = {}

---@param command table of argparse
function M.add(command)
  command:option("--wait-for-cloud", "Outlast an outage, e.g. 4h: what only reads is asked again, "
    .. "slowly; a change is never sent twice for it. Changes and steps of runs wait for 10m each "
    .. "without it; no: not at all."):argname "<duration>"
  command:option("--failed-region", "Refuse to depend on hosts of this region; see alicloud-dr "
    .. "dependencies."):argname "<region>"
  command:flag("--stats", "Print the counters of the client on standard error at the end.")
end

local function wait_line(event)
  if event.event == "back" then
    return ("the cloud is back after %s"):format(duration.format(event.waited))
  end
  if event.event == "given_up" then
    return ("not waiting any longer after %s"):format(duration.format(event.waited))
  end
  return ("waiting%s: %s. Next look in %s, for %s at most"):format(
    event.cause == "state" and "" or " for the cloud", event.sentence,
    duration.format(event.pause), duration.format(event.left))
end

-- The same message is printed again only when half of the remaining time has passed.
local function wait_reporter(io)
  local said, left
  return function(event)
    local waiting = event.event == "waiting"
    if waiting and event.sentence == said and event.left > left / 2 then return end
    if not waiting and not said then return end
    said, left = waiting and event.sentence or nil, event.left
    io.err(fold.hang(io, "alicloud-dr: " .. terminal.clean(wait_line(event), 1000), 2) .. "\n")
  end
end

local function read_duration(text, refuse)
  if text == "no" then return 0 end
  local seconds = duration.parse(text)
  if not seconds or seconds < 1 or seconds > 30 * 86400 then
    refuse(("--wait-for-cloud: got %s; allowed: no, or %s, from 1s to 30d"):format(
      schema.show(text), duration.ALLOWED))
  end
  return seconds
end

--- Reads the options into options of a client.
---@param args table of argparse
---@param io alicloud.cli.Io
---@param refuse fun(message: string) stops the command
---@return { wait_for_cloud: table, failed_region: string? }
function M.read(args, io, refuse)
  local given = { wait_for_cloud = { progress = wait_reporter(io) } }
  if args.wait_for_cloud then
    given.wait_for_cloud.seconds = read_duration(args.wait_for_cloud, refuse)
  end
  local failed = args.failed_region
  if failed and not formats.REGION.test(failed) then
    refuse(("--failed-region: got %s; allowed: %s"):format(schema.show(failed),
      formats.REGION.allowed))
  end
  local meant = failed and region_names.meant(failed)
  if meant then
    io.err(("alicloud-dr: warning: --failed-region: no region %s is known; did you mean %s?\n")
      :format(failed, meant))
  end
  given.failed_region = failed
  return given
end

local LABELS = {
  { "requests", "%d calls" }, { "attempts", "%d requests" }, { "retries", "%d retries" },
  { "throttles", "%d throttled" }, { "waited", "%.1f s waited" },
  { "waited_for_cloud", "%.0f s for the cloud" }, { "connections", "%d connections" },
  { "reused", "%d reused" }, { "bytes_sent", "%d bytes sent" },
  { "bytes_received", "%d bytes received" },
}

--- The client's counters in one line.
---@param stats alicloud.Stats
---@return string
function M.stats_line(stats)
  local parts = {}
  for _, label in ipairs(LABELS) do
    local value = stats[label[1]]
    if value then parts[#parts + 1] = label[2]:format(value) end
  end
  return table.concat(parts, ", ")
end

return M
