--- Reads what all commands declare into plain values, for completion and manual pages. Only this
--- file uses argparse's private fields.

local commands = require "alicloud.cli.commands"
local help = require "alicloud.cli.help"
local parsers = require "alicloud.cli.parser"

local M = {}

---@class alicloud.cli.DeclaredOption
---@field names string[] its names as typed: -y, --yes
---@field takes? string placeholder of its value: region, file, …; nil: it is a flag
---@field choices? string[] the only values
---@field about string
---@field is_repeated boolean

---@class alicloud.cli.DeclaredArgument
---@field name string its name in the help
---@field takes string placeholder of its value
---@field choices? string[] the only values
---@field about string
---@field is_optional boolean
---@field is_repeated boolean

---@class alicloud.cli.DeclaredCommand
---@field name string
---@field summary string
---@field description string
---@field usage string its arguments as the usage shows them
---@field epilog string
---@field arguments alicloud.cli.DeclaredArgument[]
---@field options alicloud.cli.DeclaredOption[] without those of the connection
---@field connection alicloud.cli.DeclaredOption[] how the service is reached

---@class alicloud.cli.Declared
---@field description string
---@field epilog string
---@field options alicloud.cli.DeclaredOption[] options before a command
---@field commands alicloud.cli.DeclaredCommand[]

-- The placeholder without its brackets; "choice" for a list of words that has none.
local function placeholder(element)
  if element._choices and not element._argname then return "choice" end
  return (element:_get_argname(1):gsub("^<(.*)>$", "%1"))
end

local function option_of(option)
  local takes = option._maxargs > 0
  return { names = option._public_aliases, takes = takes and placeholder(option) or nil,
    choices = option._choices, about = option:_get_description(),
    is_repeated = option._maxcount > 1 }
end

local function argument_of(argument)
  return { name = argument._name, takes = placeholder(argument), choices = argument._choices,
    about = argument:_get_description(), is_optional = argument._minargs == 0,
    is_repeated = argument._maxargs > 1 }
end

local function map(list, convert)
  local converted = {}
  for i, each in ipairs(list) do converted[i] = convert(each) end
  return converted
end

local function command_of(entry, command)
  local own, connection = help.options(command)
  return {
    name = entry.name, summary = entry.summary, description = command._description or "",
    usage = command:get_usage():match "^Usage: %S+ %S+ %[options%] ?(.*)$",
    epilog = command._epilog or "", arguments = map(command._arguments, argument_of),
    options = map(own, option_of), connection = map(connection, option_of),
  }
end

--- Reads the declarations of all commands, which loads all of them.
---@return alicloud.cli.Declared
function M.read()
  local parser, all = parsers.build({}, function() return true end)
  return {
    description = parsers.DESCRIPTION, epilog = parsers.EPILOG,
    options = map(parser._options, option_of),
    commands = map(commands.LIST, function(entry) return command_of(entry, all[entry.name]) end),
  }
end

return M
