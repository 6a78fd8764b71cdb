--- `alicloud-dr policy`: prints the least RAM policy that a playbook needs, from simulated runs.

local confine = require "alicloud.cli.confine.playbook"
local core = require "alicloud.core"
local json = require "alicloud.cli.json"
local fold = require "alicloud.cli.fold"
local lazy = require "alicloud.base.lazy"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local playbook_argument = require "alicloud.cli.playbook_argument"
local policies = require "alicloud.simulation.ram_policy"
local shapes = require "alicloud.cli.confine.shapes"
local tables = require "alicloud.base.tables"
local terminal = require "alicloud.cli.terminal"

---@module "alicloud.conformance"
local conformance = lazy.module "alicloud.conformance"

---@type alicloud.cli.Command
local M = {}

local EPILOG = [[
The playbook runs over the emulator in a process without rights, on a clock of its own: nothing is
sent to anybody. What it calls becomes the policy, on standard output; what the policy cannot know
is said on standard error. It is walked through several worlds: before and after the move, the old
side attached, detached or dark, turned round. Groups that the world does not know are imagined,
two pairs each, with their data in the region that was asked for them, and so are machines; what
they are called is not known, so the policy allows each of them (*).

`policy conformance` prints what the tiers of that command need, all or those of tier=drill.

Examples:
  alicloud-dr policy conformance tier=read
  alicloud-dr policy orders.lua --region cn-shanghai >orders-policy.json
  alicloud-dr policy failover group=pg-orders region=cn-shanghai \
    attach=i-orders-sh

Exit codes: 0 done, 1 some of the playbook could not be rehearsed, so the policy may lack something,
or its process ended (time, memory), 2 usage, 130 interrupted.]]

function M.configure(command)
  playbook_argument.add_rehearsal(command)
  command:option("--mode", "ungraceful leaves out what needs the old side.")
    :choices { "graceful", "ungraceful" }
  command:option("--world", "The world to rehearse in, as for `emulator`; else the demo.")
    :argname "<file>"
  options.add_json(command)
  command:epilog(EPILOG)
end

local function notes_of(policy, seen, given)
  local notes = { ("from %d calls of a simulated %s run, %s, in %d worlds: before and after the "
    .. "move, the old side attached, detached or dark, turned round; a branch of the code that it "
    .. "took in none of them is not in it"):format(seen.count, given.kind, given.mode or "graceful",
    seen.worlds) }
  for _, group in ipairs(seen.imagined) do
    notes[#notes + 1] = ("%s is imagined, with its data in %s"):format(group.id, group.region)
  end
  for _, text in ipairs(seen.left_out) do notes[#notes + 1] = "not rehearsed: " .. text end
  if seen.stopped then notes[#notes + 1] = "it stopped: " .. seen.stopped end
  if #policy.unknown > 0 then
    notes[#notes + 1] = "not described here, so not in it: " .. table.concat(policy.unknown, ", ")
  end
  if #policy.inferred > 0 then
    notes[#notes + 1] = "no page of the vendor names the resource of "
      .. table.concat(policy.inferred, ", ")
  end
  notes[#notes + 1] = "only the real call can tell whether something else denies it: a condition, "
    .. "another policy, a resource directory, a service-linked role that is missing"
  return notes
end

local function list_text(list)
  local parts = {}
  for i, text in ipairs(list) do parts[i] = "        " .. json.encode(text) end
  return table.concat(parts, ",\n")
end

local function document_text(document)
  local parts = {}
  for i, statement in ipairs(document.Statement) do
    parts[i] = ('    {\n      "Effect": "Allow",\n      "Action": [\n%s\n      ],\n'
      .. '      "Resource": [\n%s\n      ]\n    }'):format(list_text(statement.Action),
      list_text(statement.Resource))
  end
  return ('{\n  "Version": "1",\n  "Statement": [\n%s\n  ]\n}\n'):format(
    table.concat(parts, ",\n"))
end

local text = shapes.text
local CALL = shapes.object { product = text(64), action = text(128), ["region?"] = text(64),
  params = shapes.map(text(65536), 1000, 256) }
local SEEN = { calls = shapes.list(CALL, 50000), count = shapes.count,
  worlds = shapes.count, ["stopped?"] = text(12000),
  imagined = shapes.list(shapes.object { id = text(64), region = text(64) }, 1000),
  left_out = shapes.list(text(12000), 10000) }

local function fault(value)
  return shapes.fault("a rehearsal", value, SEEN)
end

local function print_policy(io, policy, notes)
  io.out(document_text(policy.document))
  for _, note in ipairs(notes) do
    io.err(fold.hang(io, "  " .. terminal.clean(note, 1000), 4) .. "\n")
  end
end

-- The calls of the tiers of `conformance`, in place of those of a playbook.
local function tier_calls(args)
  local calls, is_tier, wanted = {}, tables.set(conformance.TIERS), nil
  for _, word in ipairs(args.param) do
    wanted = word:match "^tier=(.+)$"
    if not is_tier[wanted or ""] then
      options.refuse(("parameter: got %q; allowed: tier=%s"):format(word,
        table.concat(conformance.TIERS, ", tier=")))
    end
  end
  for _, name in ipairs(wanted and { wanted } or conformance.TIERS) do
    for _, action in ipairs(conformance.tier(name).actions) do
      local product, operation = action:match "^(.-):(.+)$"
      calls[#calls + 1] = { product = product, action = operation, params = {},
        region = args.region }
    end
  end
  return calls, wanted
end

local TIER_NOTES = { "what these tiers may call, on anything in the account",
  "--throwaway may have to create a service-linked role once: ram:CreateServiceLinkedRole" }

local function of_tiers(args, io)
  local calls, wanted = tier_calls(args)
  local policy = policies.of(calls)
  local notes = { TIER_NOTES[1], (not wanted or wanted == "throwaway") and TIER_NOTES[2] or nil }
  if args.json then
    return output.json(io, output.EXIT.done, { policy = policy.document,
      notes = core.array(notes), inferred = policy.inferred, calls = #calls })
  end
  print_policy(io, policy, notes)
  return output.EXIT.done
end

function M.run(args, io)
  if args.file == "conformance" then return of_tiers(args, io) end
  local job, world, kind = confine.job(args, io), playbook_argument.read_world(args, io), nil
  local begins = confine.begins(args, io, job.params, function(frame)
    kind = args.kind or frame.kind or "unplanned"
    return { kind = kind, world = world }
  end)
  local confined = confine.run(io, { entry = "alicloud.cli.confined.policy", job = job,
    handlers = { playbook = begins } }, fault)
  local seen = confined.value
  if not seen then return confine.fail(io, args, confined) end
  local policy = policies.of(seen.calls)
  local notes = notes_of(policy, seen, { kind = kind, mode = args.mode })
  local is_whole = #seen.left_out == 0 and not seen.stopped and #policy.unknown == 0
  local code = is_whole and output.EXIT.done or output.EXIT.failed
  if args.json then
    return output.json(io, code, { policy = policy.document, notes = core.array(notes),
      inferred = policy.inferred, calls = seen.count, confined = confined.confined })
  end
  print_policy(io, policy, notes)
  return code
end

return M
