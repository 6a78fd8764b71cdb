--- `alicloud-dr readiness`: could these groups be failed over now? For a timer. Reads only.

local aftermath = require "alicloud.cli.view_change"
local cli_clients = require "alicloud.cli.client"
local dr = require "alicloud.dr"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"

---@type alicloud.cli.Command
local M = {}

local EPILOG = [[
One line per group: ok; warn (a failover would be taken, but somebody should look: replication is
stopped, the group is failed over and not protected, the recovery point is late, a drill was
forgotten); fail (it would be refused, lose more than --max-rpo, or could not be read).

Examples:
  alicloud-dr readiness --region cn-shanghai --max-rpo 20m
  alicloud-dr readiness pg-orders pg-payments --region cn-shanghai --json

Exit codes: 0 all ok, 1 at least one warn, 2 at least one fail, or no group at all; also usage.]]

function M.configure(command)
  command:argument("group", "Group ids; without any, every group that fails over to the region.")
    :args "*"
  options.add_common(command, "Region of the secondary site")
  command:option("--max-rpo", "Oldest recovery point that is acceptable, e.g. 20m.")
    :argname "<duration>"
  command:option("--max-drill-age", "A drill that is open for longer is worth a warning (1d).")
    :argname "<duration>"
  command:epilog(EPILOG)
end

-- What keeps a timer from knowing is as bad as what it would have found.
local FAIL = 2

local function fail(io, args, err)
  return output.complain(io, args.json == true, FAIL, {
    kind = err.kind, code = err.code, message = tostring(err), outcome = err.outcome,
  })
end

function M.run(args, io)
  for _, id in ipairs(args.group) do options.group_id(id) end
  local limits = { max_rpo = options.duration(args, "max_rpo"),
    max_drill_age = options.duration(args, "max_drill_age") }
  local client <close>, region = cli_clients.open(args, io)
  local ids, err = args.group, nil
  if #ids == 0 then ids, err = dr.group_ids(client, { region = region, site = "backup" }) end
  if not ids then return fail(io, args, err) end
  local groups = {}
  for i, id in ipairs(ids) do groups[i] = dr.group(client, id, { region = region }) end
  local report = dr.readiness(groups, limits)
  if args.json then return output.json(io, report.exit, output.readiness_report(report)) end
  io.out(aftermath.readiness(io, region, report))
  return report.exit
end

return M
