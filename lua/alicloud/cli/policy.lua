--- `alicloud-dr policy`: the least RAM policy that a playbook needs, from a simulated run.

local core = require "alicloud.core"
local fixture = require "alicloud.emulator.fixture"
local json = require "alicloud.cli.json"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local playbooks = require "alicloud.cli.playbooks"
local policies = require "alicloud.dr.report.policy"
local rehearsal = require "alicloud.cli.rehearsal"
local run = require "alicloud.cli.run"
local session = require "alicloud.cli.session"
local terminal = require "alicloud.cli.terminal"

local M = { name = "policy", summary = "Print the least RAM policy that a playbook needs." }

local EPILOG = [[
The playbook runs over the emulator in this process, on a clock of its own: nothing is sent to
anybody. What it calls becomes the policy, on standard output; what the policy cannot know is said
on standard error. Groups that the world does not know are imagined, two pairs each, with their data
in the region that was asked for them.

Example:
  alicloud-dr policy orders.lua --region cn-shanghai >orders-policy.json

Exit codes: 0 done, 1 some of the playbook could not be rehearsed, so the policy may lack something,
2 usage.]]

---@param command table of argparse
function M.configure(command)
  command:argument "file":description "The playbook, a Lua file."
  command:argument "param":args "*":description "key=value, for run.params."
  command:option "--region":argname "<region>"
    :description "Region of the client, usually the secondary site; else $ALIBABA_CLOUD_REGION_ID."
  command:option "--kind":choices { "drill", "planned", "unplanned" }
    :description "What the run is for (unplanned)."
  command:option "--mode":choices { "graceful", "ungraceful" }
    :description "ungraceful leaves out what needs the old side."
  command:option "--world":argname "<file>"
    :description "The world to rehearse in, as for `emulator`; else the demo."
  options.add_json(command)
  command:epilog(EPILOG)
end

local function read_world(path, io)
  if not path then return nil end
  local text, message = session.runtime(io).read_file(path)
  local world
  if text then world, message = fixture.parse(text, path) end
  if not world then options.refuse("--world: " .. tostring(message)) end
  return world
end

local function notes_of(policy, seen, args)
  local notes = { ("from %d calls of a simulated %s run, %s; a branch of the code that it did not "
    .. "take is not in it"):format(#seen.calls, args.kind or "unplanned",
    args.mode or "graceful") }
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

--- Runs the command.
---@param args table
---@param io alicloud.cli.Io
---@return integer exit_code
function M.run(args, io)
  local region = options.region(args, session.runtime(io).getenv)
  local given = { region = region, params = run.read_params(args.param), kind = args.kind,
    mode = args.mode, world = read_world(args.world, io) }
  local function load_playbook(environment) return playbooks.load(args.file, io, environment) end
  local seen = rehearsal.run(load_playbook, given)
  local policy = policies.of(seen.calls)
  local notes = notes_of(policy, seen, args)
  local is_whole = #seen.left_out == 0 and not seen.stopped and #policy.unknown == 0
  local code = is_whole and output.EXIT.done or output.EXIT.failed
  if args.json then
    return output.json(io, code, { policy = policy.document, notes = core.array(notes),
      inferred = policy.inferred, calls = #seen.calls })
  end
  io.out(document_text(policy.document))
  for _, note in ipairs(notes) do io.err("  " .. terminal.clean(note, 1000) .. "\n") end
  return code
end

return M
