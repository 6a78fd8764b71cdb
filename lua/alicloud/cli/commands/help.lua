--- `alicloud-dr help`: prints the help of a command, as --help does.

local commands = require "alicloud.cli.commands"
local lazy = require "alicloud.base.lazy"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local parsers = require "alicloud.cli.parser"
local schema = require "alicloud.base.schema"
local shell = require "alicloud.base.shell"
local tables = require "alicloud.base.tables"

---@module "alicloud.cli.commands.manual"
local manual = lazy.module "alicloud.cli.commands.manual"

---@type alicloud.cli.Command
local M = {}

local EPILOG = [[
Examples:
  alicloud-dr help
  alicloud-dr help failover
  alicloud-dr manual

Exit codes: 0 shown, 2 usage (also: no such command).]]

function M.configure(command)
  command:argument("command", "The command; without it, the help of the program."):args "?"
    :target "about"
  command:epilog(EPILOG)
end

local function refuse(name)
  local names = {}
  for i, entry in ipairs(commands.LIST) do names[i] = entry.name end
  if tables.set(manual.TOPICS)[name] then
    options.refuse(("command: got %s, which is a topic of the manual: %s"):format(
      schema.show(name), shell.command("manual", { name })))
  end
  options.refuse(("command: got %s; allowed: %s%s"):format(schema.show(name),
    table.concat(names, ", "), schema.did_you_mean(name, tables.set(names))))
end

function M.run(args, io)
  local name = args.about
  if name and not commands.is_known(name) then refuse(name) end
  local parser, needed = parsers.build({}, function(each) return each == name end)
  io.out(parsers.help_text(needed[name] or parser, io))
  return output.EXIT.done
end

return M
