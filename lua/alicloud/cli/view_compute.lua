--- Shows to people what is done to instances, disks and replication by hand: fence, unfence, serve,
--- start, stop.

local attachment = require "alicloud.dr.read.attachment"
local duration = require "alicloud.base.duration"
local fold = require "alicloud.cli.fold"
local plural = require "alicloud.base.plural"
local snapshots = require "alicloud.dr.model.snapshot"
local terminal = require "alicloud.cli.terminal"
local view = require "alicloud.cli.view_group"
local zones = require "alicloud.cli.zone"

local M = {}

local clean, mark = terminal.clean, terminal.mark

local TYPE = "  Type the group id to go on: "

local function host_name(host)
  local name = host.name and host.name .. ", " or ""
  return clean(("%s (%s%s)"):format(host.id, name, host.status or "not listed"))
end

--- The question before the old side is fenced.
---@param plan alicloud.dr.FencePlan
---@param power boolean whether power is cut
---@return string
function M.fence_question(plan, power)
  local lines = { ("  Fence the side in %s? What runs there does not write any more then.\n")
    :format(clean(plan.region)) }
  for _, host in ipairs(plan.stop) do
    lines[#lines + 1] = ("    %s   %s\n"):format(power and "cut the power of" or "stop",
      host_name(host))
  end
  for _, neighbour in ipairs(plan.neighbours or {}) do
    lines[#lines + 1] = ("    %s has %s%s too\n"):format(clean(neighbour.instance),
      clean(neighbour.disk), neighbour.pair
        and " of " .. clean(neighbour.group or neighbour.pair) or "")
  end
  for _, disk in ipairs(plan.detach) do
    lines[#lines + 1] = ("    detach %s\n"):format(clean(attachment.describe(disk)))
  end
  return table.concat(lines) .. TYPE
end

-- What a command did, in one line.
local function done_line(done)
  local parts = {}
  for _, what in ipairs { "stopped", "detached", "attached", "started" } do
    local ids = done[what] or {}
    if #ids > 0 then parts[#parts + 1] = what .. " " .. table.concat(ids, ", ") end
  end
  return #parts > 0 and clean(table.concat(parts, "; "), 1000) or nil
end

--- What a command had done before it failed; nil if nothing.
---@param err alicloud.Error
---@return string|nil
function M.done_so_far(err)
  return err.done_so_far and done_line(err.done_so_far) or nil
end

--- The result of fencing.
---@param io alicloud.cli.Io
---@param result alicloud.dr.FenceResult
---@return string
function M.fenced(io, result)
  if result.outcome == "already_fenced" then
    return ("  %s already fenced: nothing in %s uses the disks of %s, nothing was sent\n"):format(
      mark(io, "ok"), clean(result.region), clean(result.group_id))
  end
  return ("  %s fenced in %s: %s\n"):format(mark(io, "ok"), duration.format(result.elapsed),
    done_line(result) or "nothing was left to do")
end

--- The question before disks are attached and instances started.
---@param plan alicloud.dr.ServePlan
---@return string
function M.serve_question(plan)
  local lines = { ("  Serve in %s?\n"):format(clean(plan.region)) }
  for _, job in ipairs(plan.attach) do
    for _, host in ipairs(job.from or {}) do
      lines[#lines + 1] = ("    detach %s from %s\n"):format(clean(job.disk.id), host_name(host))
    end
    lines[#lines + 1] = ("    attach %s to %s\n"):format(clean(job.disk.id), clean(job.instance))
  end
  for _, host in ipairs(plan.start) do
    lines[#lines + 1] = ("    start  %s\n"):format(host_name(host))
  end
  return table.concat(lines) .. TYPE
end

--- The question before a fence is taken back.
---@param plan alicloud.dr.UnfencePlan
---@return string
function M.unfence_question(plan)
  local lines = { ("  Bring back what ran in %s?\n"):format(clean(plan.region)) }
  for _, job in ipairs(plan.attach) do
    lines[#lines + 1] = ("    attach %s to %s%s\n"):format(clean(job.disk.id),
      clean(job.instance), job.device and " as " .. clean(job.device) or "")
  end
  for _, host in ipairs(plan.start) do
    lines[#lines + 1] = ("    start  %s\n"):format(host_name(host))
  end
  return table.concat(lines) .. TYPE
end

--- The result of taking a fence back.
---@param io alicloud.cli.Io
---@param result alicloud.dr.UnfenceResult
---@return string
function M.unfenced(io, result)
  if result.outcome == "already_unfenced" then
    return ("  %s it runs in %s as before, nothing was sent\n"):format(mark(io, "ok"),
      clean(result.region))
  end
  if result.outcome == "served_elsewhere" then
    return ("  %s it runs in %s by now, which is written down; nothing was sent\n"):format(
      mark(io, "ok"), clean(result.region))
  end
  return ("  %s back in %s after %s: %s\n"):format(mark(io, "ok"), clean(result.region),
    duration.format(result.elapsed), done_line(result) or "nothing was left to do")
end

local function old_side(result)
  if result.unproven then return "    not proven: " .. clean(result.unproven, 1000) .. "\n" end
  if result.old_side_fenced == nil then return "    the old side could not be looked at\n" end
  return result.old_side_fenced and "    the old side is fenced\n"
    or "    the old side is not fenced: what runs there may still write\n"
end

--- The result of serving.
---@param io alicloud.cli.Io
---@param result alicloud.dr.ServeResult
---@param fence string the command that fences the old side
---@return string
function M.served(io, result, fence)
  local done = result.outcome == "already_serving"
    and "already serving, nothing was sent"
    or ("serving after %s: %s"):format(duration.format(result.elapsed),
      done_line(result) or "nothing was left to do")
  local left = #result.unmapped > 0 and ("    attached nowhere by this: %s\n"):format(
    clean(table.concat(result.unmapped, ", "), 1000)) or ""
  local unseen = result.unseen and ("    %s\n"):format(clean(result.unseen, 1000)) or ""
  return ("  %s %s\n"):format(mark(io, "ok"), done) .. left .. unseen .. old_side(result)
    .. (result.old_side_fenced and "" or view.next_line(fence))
end

--- The question before replication is started.
---@param snapshot alicloud.dr.Snapshot
---@param one_shot boolean
---@return string
function M.start_question(snapshot, one_shot)
  local to = clean(snapshots.place_name(snapshot.to))
  return ("  %s 1 group, %s: %s? What is on the disks in %s will be overwritten.\n%s"):format(
    one_shot and "Synchronize once" or "Start replication of", plural.of(#snapshot.pairs, "pair"),
    clean(snapshots.direction(snapshot)), to, TYPE)
end

--- The question before replication is stopped.
---@param snapshot alicloud.dr.Snapshot
---@return string
function M.stop_question(snapshot)
  return ("  Stop replication of 1 group, %s: %s? Its recovery point stays where it is until it is "
    .. "started again.\n%s"):format(plural.of(#snapshot.pairs, "pair"),
    clean(snapshots.direction(snapshot)), TYPE)
end

local ENDED = { started = "replication runs", synced = "synchronized once, stopped again",
  stopped = "replication is stopped", already_started = "replication runs already",
  already_stopped = "replication is stopped already" }

--- The result of starting or stopping replication.
---@param io alicloud.cli.Io
---@param result alicloud.dr.ChangeResult
---@return string
function M.replicated(io, result)
  local point = result.recover_point and ", recovery point " .. zones.moment(result.recover_point)
    or ""
  local words = ENDED[result.outcome] or clean(result.outcome)
  if result.attempts == 0 and not result.joined then words = words .. ", nothing was sent" end
  local call = result.attempts > 0 and ("    request id %s   client token %s   attempts %d\n")
    :format(clean(result.request_id or "unknown (no answer came)"),
      clean(result.client_token or "none"), result.attempts) or ""
  local direction = clean(snapshots.direction(result))
  local line = fold.hang(io, ("    %s: %s%s"):format(words, direction, point), 6)
  return "  " .. mark(io, "ok") .. " " .. line:sub(5) .. "\n" .. call
end

return M
