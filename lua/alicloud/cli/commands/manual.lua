--- `alicloud-dr manual`: lists the topics of the manual, or shows one.

local cli_clients = require "alicloud.cli.client"
local commands = require "alicloud.cli.commands"
local core = require "alicloud.core"
local fold = require "alicloud.cli.fold"
local json = require "alicloud.cli.json"
local lazy = require "alicloud.base.lazy"
local markdown = require "alicloud.cli.markdown"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local schema = require "alicloud.base.schema"
local shell = require "alicloud.base.shell"

---@module "alicloud.cli.json_shapes.json_schema"
local json_schema = lazy.module "alicloud.cli.json_shapes.json_schema"

---@type alicloud.cli.Command
local M = {}

--- Topics in the order of the list; each is a file of `alicloud/manual/`.
M.TOPICS = {
  "first-steps", "playbooks", "ready-playbooks", "fleets", "zones", "controllers", "rehearsal",
  "recordings", "after-the-failover", "watching", "nights", "ways-on", "evidence", "repl",
  "credentials", "networks", "outages", "emulator", "conformance", "throwaway", "embedding",
  "event-loops", "tasks", "security", "reference", "json", "tracing", "speed", "building",
}

local EPILOG = [[
On a terminal the text is shown by $PAGER, else by less or more; PAGER=cat shows it at once. In a
pipe it is Markdown.

Examples:
  alicloud-dr manual
  alicloud-dr manual playbooks
  alicloud-dr manual security | grep -i approval
  alicloud-dr manual json --schema >alicloud-dr.schema.json

Exit codes: 0 shown, 2 usage (also: no such topic).]]

-- The column at which summaries begin in the list.
local MARGIN = 22

local known = {}
for _, topic in ipairs(M.TOPICS) do known[topic] = true end

function M.configure(command)
  command:argument("topic", "What to read about; without it, every topic."):args "?"
  command:flag("--schema", "Of the topic json: what every command prints, as JSON Schema.")
  options.add_json(command)
  command:epilog(EPILOG)
end

--- The text of a topic, from the file that is installed beside the modules.
---@param topic string one of TOPICS
---@param read_file fun(path: string): string|nil, string?
---@return string
function M.text(topic, read_file)
  local places = package.path:gsub("%.lua%f[;\0]", ".md")
  local path, message = package.searchpath("alicloud.manual." .. topic, places)
  local text
  if path then text, message = read_file(path) end
  return text or options.refuse("manual: " .. message)
end

local function read(topic, io)
  return M.text(topic, cli_clients.runtime(io).read_file)
end

-- The summary of a topic, from its first line "# Title: summary".
local function summary_of(topic, io)
  return read(topic, io):match "^# [^:\n]+: ([^\n]+)"
end

--- Prints every topic with its summary.
---@param io alicloud.cli.Io
function M.list(io)
  for _, topic in ipairs(M.TOPICS) do
    io.out(fold.hang(io, ("  %-19s %s"):format(topic, summary_of(topic, io)), MARGIN) .. "\n")
  end
end

local function list(args, io)
  if not args.json then
    M.list(io)
    return output.EXIT.done
  end
  local topics = core.array {}
  for i, topic in ipairs(M.TOPICS) do
    topics[i] = { topic = topic, summary = summary_of(topic, io) }
  end
  return output.json(io, output.EXIT.done, { topics = topics })
end

--- Whether a topic exists.
---@param topic any
---@return boolean
function M.is_topic(topic) return known[topic] == true end

--- Shows the text of a topic.
---@param topic string
---@param io alicloud.cli.Io
function M.show(topic, io)
  markdown.show(io, read(topic, io))
end

local function print_schema(topic, io)
  if topic ~= "json" then
    options.refuse(("--schema: got the topic %s; allowed: json"):format(schema.show(topic)))
  end
  io.out(json.encode(json_schema.document()) .. "\n")
  return output.EXIT.done
end

function M.run(args, io)
  local topic = args.topic
  if args.schema then return print_schema(topic, io) end
  if not topic then return list(args, io) end
  if not known[topic] and commands.is_known(topic) then
    options.refuse(("topic: got %s, which is a command: %s"):format(schema.show(topic),
      shell.command("help", { topic })))
  end
  if not known[topic] then
    options.refuse(("topic: got %s; allowed: %s%s"):format(schema.show(topic),
      table.concat(M.TOPICS, ", "), schema.did_you_mean(topic, known)))
  end
  if args.json then
    return output.json(io, output.EXIT.done, { topic = topic, text = read(topic, io) })
  end
  M.show(topic, io)
  return output.EXIT.done
end

return M
