--- `alicloud-dr status`: shows the groups of a region, or some of them with their pairs. Reads
--- only.

local cli_clients = require "alicloud.cli.client"
local dr = require "alicloud.dr"
local group_names = require "alicloud.cli.group_names"
local last_look = require "alicloud.cli.last_look"
local network = require "alicloud.cli.options.network"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local view = require "alicloud.cli.view_group"
local view_table = require "alicloud.cli.view_table"

---@type alicloud.cli.Command
local M = {}

local EPILOG = [[
Examples:
  alicloud-dr status --region cn-shanghai
  alicloud-dr status pg-orders pg-payments --region cn-shanghai --json

Exit codes: 0 done, 1 failed, 2 usage (also: a group that the region does not list).]]

function M.configure(command)
  command:argument("group", "Group ids, or name:NAME; without any, every group of the region.")
    :args "*"
  options.add_common(command, "Region to list; groups of both sites are shown")
  command:flag("-v --verbose", "Show the way of the requests first: endpoint, proxy, trusted "
    .. "roots.")
  command:epilog(EPILOG)
end

local function look_at(client, region, args, io)
  local list = {}
  for _, typed in ipairs(args.group) do
    local snapshot, err = group_names.group(client, region, typed, {}, io):observe()
    if not snapshot then return nil, err end
    list[#list + 1] = snapshot
  end
  return list
end

local function print_groups(io, list, with_pairs)
  for _, snapshot in ipairs(list) do
    if snapshot.role ~= "absent" then
      io.out(view.group_line(io, snapshot))
      if with_pairs then io.out(view.pair_lines(io, snapshot)) end
    end
  end
end

local function show_all(io, region, list)
  if #list == 0 then
    io.out(("  no replication pair-consistent group in %s, on either site\n"):format(region))
  else
    io.out(view_table.groups(io, list))
  end
  return output.EXIT.done
end

local function absence(client, region, list)
  local messages = {}
  for _, snapshot in ipairs(list) do
    if snapshot.role == "absent" then
      messages[#messages + 1] = group_names.not_listed(client, region, snapshot.group_id)
    end
  end
  return #messages > 0 and { kind = "state", code = "NoSuchResource", outcome = "not_sent",
    message = table.concat(messages, "; ") } or nil
end

local function show_some(io, client, region, list)
  print_groups(io, list, true)
  local fault = absence(client, region, list)
  if not fault then return output.EXIT.done end
  return output.complain(io, false, output.EXIT.usage, fault)
end

local function print_object(io, client, region, list, way)
  local fault = absence(client, region, list)
  return output.json(io, fault and output.EXIT.usage or output.EXIT.done,
    { region = region, groups = output.snapshot_list(list), error = fault, network = way })
end

-- Prints how the service is reached before it is asked: it matters most when it does not answer.
local function way_of(client, args, io)
  local way = args.verbose and client:network() or nil
  if way and not args.json then io.out(network.lines(way)) end
  return way
end

function M.run(args, io)
  for _, id in ipairs(args.group) do options.group_id(id) end
  local client <close>, region = cli_clients.open(args, io)
  local way = way_of(client, args, io)
  local some = #args.group > 0
  local list, err
  if some then
    list, err = look_at(client, region, args, io)
  else
    list, err = dr.groups(client, { region = region })
  end
  if not list then return output.fail(io, args, cli_clients.diagnosed(client, err)) end
  last_look.keep(args, client.runtime.getenv, region, list, not some)
  if args.json then return print_object(io, client, region, list, way) end
  if some then return show_some(io, client, region, list) end
  return show_all(io, region, list)
end

return M
