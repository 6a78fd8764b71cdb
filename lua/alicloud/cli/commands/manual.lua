--- `alicloud-dr manual`: the topics of the manual, and the text of one.

local cli_clients = require "alicloud.cli.client"
local core = require "alicloud.core"
local fold = require "alicloud.cli.fold"
local markdown = require "alicloud.cli.markdown"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local schema = require "alicloud.base.schema"
local terminal = require "alicloud.cli.terminal"

---@type alicloud.cli.Command
local M = {}

--- Each is a file of `alicloud/manual/`, in the order in which they are listed.
M.TOPICS = {
  "first-steps", "playbooks", "ready-playbooks", "fleets", "zones", "rehearsal",
  "after-the-failover", "nights", "ways-on", "evidence", "repl", "credentials", "networks",
  "outages", "emulator", "embedding", "event-loops", "security", "reference", "speed", "building",
}

local EPILOG = [[
On a terminal the text is shown by $PAGER, else by less or more; PAGER=cat shows it at once. In a
pipe it is Markdown.

Examples:
  alicloud-dr manual
  alicloud-dr manual playbooks
  alicloud-dr manual security | grep -i approval

Exit codes: 0 shown, 2 usage (also: no such topic).]]

-- Nobody needs longer lines, however wide a terminal is.
local WIDEST = 100

-- Where summaries begin in the list.
local MARGIN = 22

local known = {}
for _, topic in ipairs(M.TOPICS) do known[topic] = true end

function M.configure(command)
  command:argument("topic", "What to read about; without it, every topic."):args "?"
  options.add_json(command)
  command:epilog(EPILOG)
end

-- The texts lie beside the modules, wherever those were installed.
local function read(topic, io)
  local places = package.path:gsub("%.lua%f[;\0]", ".md")
  local path, message = package.searchpath("alicloud.manual." .. topic, places)
  local text
  if path then text, message = cli_clients.runtime(io).read_file(path) end
  return text or options.refuse("manual: " .. message)
end

-- Every text begins with "# Title: summary".
local function summary_of(topic, io)
  return read(topic, io):match "^# [^:\n]+: ([^\n]+)"
end

local function list(args, io)
  local topics = core.array {}
  for i, topic in ipairs(M.TOPICS) do
    topics[i] = { topic = topic, summary = summary_of(topic, io) }
  end
  if args.json then return output.json(io, output.EXIT.done, { topics = topics }) end
  for _, about in ipairs(topics) do
    io.out(fold.hang(io, ("  %-19s %s"):format(about.topic, about.summary), MARGIN) .. "\n")
  end
  return output.EXIT.done
end

local function show(text, io)
  if not io.tty then return io.out(text) end
  local shown = markdown.render(text, math.min(io.columns, WIDEST), function(heading)
    return terminal.paint(io, "bold", heading)
  end)
  return (io.page or io.out)(shown)
end

function M.run(args, io)
  local topic = args.topic
  if not topic then return list(args, io) end
  if not known[topic] then
    options.refuse(("topic: got %s; allowed: %s%s"):format(schema.show(topic),
      table.concat(M.TOPICS, ", "), schema.did_you_mean(topic, known)))
  end
  local text = read(topic, io)
  if args.json then
    return output.json(io, output.EXIT.done, { topic = topic, text = text })
  end
  show(text, io)
  return output.EXIT.done
end

return M
