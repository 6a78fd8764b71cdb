--- Names the candidates that completion offers for the value of an option or argument, by its
--- placeholder: <region>, <journal>, <file>.

local commands = require "alicloud.cli.commands"
local explain_assumption = require "alicloud.cli.explain_assumption"
local explain_code = require "alicloud.cli.explain_code"
local generate = require "alicloud.simulation.generate"
local manual = require "alicloud.cli.commands.manual"
local ready = require "alicloud.playbooks"
local runtimes = require "alicloud.base.runtime"
local scenarios = require "alicloud.emulator.scenarios"
local services = require "alicloud.service"
local switches = require "alicloud.emulator.switches"
local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.cli.Candidates
---@field words? fun(): string[][] fixed words, each with its description
---@field ask? "groups"|"regions"|"places"|"journals" kind of `alicloud-dr completion --words`
---@field files? string suffix of the files that are offered, or "all"
---@field directories? boolean directories are offered
---@field is_list? boolean a list is typed, with commas between its words

local PRODUCTS = { "ebs", "ecs", "sts" }

--- The first sentence of a description, so that it fits one line of a list.
---@param text string
---@return string
function M.short(text)
  local first = text:match "^(.-)%.%s+%u" or text
  return (first:gsub("; .*$", ""):gsub("%.$", ""):gsub("`", ""))
end

local function plain(list)
  return function()
    local words = {}
    for i, word in ipairs(list) do words[i] = { word, "" } end
    return words
  end
end

local function playbook_words()
  local words, read_file = {}, runtimes.new().read_file
  for i, name in ipairs(ready.NAMES) do
    words[i] = { name, M.short(assert(ready.load(name, read_file)).summary) }
  end
  return words
end

local function scenario_words()
  local words = {}
  for i, name in ipairs(scenarios.list()) do words[i] = { name, scenarios.load(name).title } end
  return words
end

-- Operations of the first product (ebs) need no prefix.
local function action_words()
  local words = {}
  for i, product in ipairs(PRODUCTS) do
    local operations = services.data(product).operations
    for _, action in ipairs(tables.keys(operations)) do
      words[#words + 1] = { i == 1 and action or product .. ":" .. action, "" }
    end
  end
  return words
end

local function switch_words(kind)
  return function()
    local words = {}
    for _, switch in ipairs(switches.all) do
      if switch.kind == kind then
        for _, value in ipairs(switch.rule.values or { "" }) do
          words[#words + 1] = { ("%s=%s"):format(switch.name, value), M.short(switch.text) }
        end
      end
    end
    return words
  end
end

local function fault_words()
  local words, names = plain(generate.KINDS)(), plain(generate.HOSTILE_NAMES)()
  return table.move(names, 1, #names, #words + 1, words)
end

local function command_words()
  local words = {}
  for i, entry in ipairs(commands.LIST) do words[i] = { entry.name, M.short(entry.summary) } end
  return words
end

local function explained_words()
  local words, names = plain(explain_code.codes())(), plain(explain_assumption.names())()
  return table.move(names, 1, #names, #words + 1, words)
end

--- Candidates by placeholder.
---@type table<string, alicloud.cli.Candidates>
M.OF = {
  region = { ask = "regions" },
  place = { ask = "places" },
  group = { ask = "groups" },
  journal = { ask = "journals", files = "jsonl" },
  what = { words = explained_words, ask = "journals", files = "jsonl" },
  playbook = { words = playbook_words, files = "lua" },
  scenario = { words = scenario_words, files = "all" },
  file = { files = "all" },
  recording = { files = "all" },
  directory = { directories = true },
  topic = { words = plain(manual.TOPICS) },
  command = { words = command_words },
  action = { words = action_words },
  product = { words = plain(PRODUCTS) },
  ["assumption=value"] = { words = switch_words "assumed" },
  ["behaviour[=value]"] = { words = switch_words "hostile" },
  kinds = { words = fault_words, is_list = true },
}

-- The placeholder that stands for the values of a ready playbook's parameter, if there is one.
local function takes_of(param)
  if param.name == "group" or param.name == "groups" then return "group" end
  return (param.type == "region" or param.type == "place") and param.type or nil
end

---@class alicloud.cli.ParamCandidates
---@field name string
---@field about string
---@field takes? string placeholder that stands for its values, see `OF`
---@field choices? string[]

local YES_NO = { "yes", "no" }

--- The parameters of the ready playbooks, by playbook.
---@return table<string, alicloud.cli.ParamCandidates[]>
function M.params()
  local all, read_file = {}, runtimes.new().read_file
  for _, name in ipairs(ready.NAMES) do
    local list = {}
    for i, param in ipairs(assert(ready.load(name, read_file)).params) do
      list[i] = { name = param.name, about = M.short(param.help or ""), takes = takes_of(param),
        choices = param.values or param.type == "boolean" and YES_NO or nil }
    end
    all[name] = list
  end
  return all
end

return M
