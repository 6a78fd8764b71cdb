--- Makes the manual pages: in section 1 the program and each command, from the declarations that
--- also make `--help`; in section 7 the topics of the manual.

local core = require "alicloud.core"
local declared = require "alicloud.cli.declared"
local manual = require "alicloud.cli.commands.manual"
local roff = require "alicloud.cli.man.roff"
local topics = require "alicloud.cli.man.topics"

local M = {}

local JOURNALS = [[journals and locks of runs, where $ALICLOUD_DR_JOURNALS names no other directory:
the first one if it is a directory of a team, else the second one]]

-- Files for the section FILES; `concerns` tells whether the page of a command lists one.
local FILES = {
  { paths = { "~/.aliyun/config.json", "~/.alibabacloud/credentials" },
    about = "profiles with credentials",
    concerns = function(command)
      for _, list in ipairs { command.options, command.connection } do
        for _, option in ipairs(list) do
          if option.names[1] == "--profile" then return true end
        end
      end
      return false
    end },
  { paths = { "/var/lib/alicloud-dr", "~/.local/state/alicloud-dr" }, about = JOURNALS,
    concerns = function(command)
      local first = command.arguments[1]
      return first ~= nil and first.takes == "journal" or command.name == "run"
        or command.name == "runs"
    end },
  { paths = { "~/.cache/alicloud-dr/last-look.json" },
    about = "ids, names and places of the groups that were seen last, for completion",
    concerns = function(command)
      return command.name == "status" or command.name == "readiness"
        or command.name == "completion"
    end },
  { paths = { "~/.local/state/alicloud-dr/history" }, about = "lines that were typed",
    concerns = function(command) return command.name == "repl" end },
}

-- Sections of a help's epilog, by the words that begin them.
local BEGINNINGS = {
  { "^Examples?:", "EXAMPLES" }, { "^Try it without a cloud account:", "EXAMPLES" },
  { "^Exit codes:", "EXIT STATUS" }, { "^Environment:", "ENVIRONMENT" },
}

-- Splits an epilog into sections; text before the first one belongs to the description.
local function sections_of(epilog)
  local sections, name = {}, "DESCRIPTION"
  for each in (epilog .. "\n"):gmatch "(.-)\n" do
    local line = each
    for _, beginning in ipairs(BEGINNINGS) do
      if line:find(beginning[1]) then
        name, line = beginning[2], line:gsub(beginning[1] .. " *", "")
        break
      end
    end
    sections[name] = (sections[name] or "") .. line .. "\n"
  end
  return sections
end

-- Makes a list of "0 done, 1 failed, 2 usage. More text." and puts the text behind it.
local function exit_status(text)
  text = text:gsub("%s+", " "):match "^ ?(.-) ?$"
  local codes, rest = text:match "^(.-)%.%s+(%u.*)$"
  codes = codes or text:gsub("%.$", "")
  local items = {}
  for code, about in codes:gsub("[,;] (%d+ )", "\n%1"):gmatch "(%d+) ([^\n]+)" do
    items[#items + 1] = { roff.bold(code), about }
  end
  return roff.list(items) .. (rest and "\n.PP\n" .. roff.prose(rest) or "")
end

-- The variables in the program's help, from lines "  NAME, NAME   description".
local function variables_of(epilog)
  local list = {}
  for names, about in sections_of(epilog).ENVIRONMENT:gmatch "\n  ([%w_, ]-)%s%s+(%l[^\n]+)" do
    list[#list + 1] = { names = names, about = about }
  end
  return list
end

local CONNECTION = { credentials = true, ["for temporary credentials"] = true,
  ["profile, if no key is set"] = true, ["default of --endpoint"] = true,
  ["proxy; hosts without it"] = true }

-- The variables that a page mentions; for a command with a connection also those of CONNECTION.
local function environment(variables, command)
  local texts, items = { command.epilog }, {}
  for _, list in ipairs { command.arguments, command.options, command.connection } do
    for _, each in ipairs(list) do texts[#texts + 1] = each.about end
  end
  local all, asks = table.concat(texts, "\n"), #command.connection > 0
  for _, variable in ipairs(variables) do
    local is_told = asks and CONNECTION[variable.about]
    for name in variable.names:gmatch "[%w_]+" do
      is_told = is_told or all:find("%f[%w_]" .. name .. "%f[^%w_]") ~= nil
    end
    if is_told then items[#items + 1] = { roff.bold(variable.names), variable.about } end
  end
  return #items > 0 and roff.list(items) or nil
end

local function files(concerns)
  local items = {}
  for _, file in ipairs(FILES) do
    if concerns(file) then
      items[#items + 1] = { roff.bold(table.concat(file.paths, ", ")), file.about }
    end
  end
  return #items > 0 and roff.list(items) or nil
end

local function option_head(option)
  local names = {}
  for i, name in ipairs(option.names) do names[i] = roff.bold(name) end
  local value = option.takes == "choice" and table.concat(option.choices, "|")
    or option.takes and "<" .. option.takes .. ">"
  return table.concat(names, ", ") .. (value and " " .. roff.italic(value) or "")
end

local function option_list(options)
  local items = {}
  for i, option in ipairs(options) do items[i] = { option_head(option), option.about } end
  return roff.list(items)
end

local function options_section(command)
  if #command.connection == 0 then return option_list(command.options) end
  return option_list(command.options) .. "\n.SS Options of the connection\n"
    .. option_list(command.connection)
end

local function argument_list(arguments)
  local items = {}
  for i, argument in ipairs(arguments) do
    local name = argument.choices and table.concat(argument.choices, "|")
      or "<" .. argument.name .. ">"
    items[i] = { roff.italic(name), argument.about }
  end
  return #items > 0 and roff.list(items) or nil
end

-- The commands that an epilog names.
local function see_also(command, is_command)
  local seen, list = { [command.name] = true }, { { "alicloud-dr", 1 } }
  local text = command.epilog
  for _, pattern in ipairs { "alicloud%-dr (%l+)", "`(%l+)[^`]*`" } do
    for name in text:gmatch(pattern) do
      if is_command[name] and not seen[name] then
        seen[name] = true
        list[#list + 1] = { "alicloud-dr-" .. name, 1 }
      end
    end
  end
  return list
end

local function references(list)
  table.sort(list, function(a, b)
    if a[2] ~= b[2] then return a[2] < b[2] end
    return a[1] < b[1]
  end)
  local lines = {}
  for i, each in ipairs(list) do
    lines[i] = (".BR %s (%d)%s"):format(roff.literal(each[1]), each[2], i < #list and "," or "")
  end
  return table.concat(lines, "\n")
end

-- The sections in the order that manual pages keep.
local ORDER = { "NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "ARGUMENTS", "OPTIONS",
  "EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES", "SEE ALSO" }

local function page(name, sections, context)
  local lines = { roff.title(name, 1, context) }
  for _, title in ipairs(ORDER) do
    if sections[title] then lines[#lines + 1] = (".SH %s\n%s"):format(title, sections[title]) end
  end
  return table.concat(lines, "\n") .. "\n"
end

local function one_line(summary)
  local first = (summary:match "^(.-)%.%s" or summary):gsub("%.$", "")
  return first:sub(1, 1):lower() .. first:sub(2)
end

local function command_page(command, variables, is_command, context)
  local told, name = sections_of(command.epilog), "alicloud-dr-" .. command.name
  local about = command.description ~= "" and command.description or command.summary
  return page(name, {
    NAME = ("%s \\-\n%s"):format(roff.literal(name), roff.prose(one_line(command.summary))),
    SYNOPSIS = ("%s [%s] %s"):format(roff.bold("alicloud-dr " .. command.name),
      roff.italic "options", roff.italic(command.usage)):gsub(" \\fI\\fR$", ""),
    DESCRIPTION = roff.text(about .. "\n\n" .. (told.DESCRIPTION or "")),
    ARGUMENTS = argument_list(command.arguments), OPTIONS = options_section(command),
    ["EXIT STATUS"] = told["EXIT STATUS"] and exit_status(told["EXIT STATUS"]),
    ENVIRONMENT = environment(variables, command),
    FILES = files(function(file) return file.concerns(command) end),
    EXAMPLES = told.EXAMPLES and roff.text(told.EXAMPLES),
    ["SEE ALSO"] = references(see_also(command, is_command)),
  }, context)
end

local function program_page(all, variables, context)
  local told, commands, items, seen = sections_of(all.epilog), {}, {}, {}
  for i, command in ipairs(all.commands) do
    commands[i] = { roff.bold(command.name), command.summary }
    seen[i] = { "alicloud-dr-" .. command.name, 1 }
  end
  for _, topic in ipairs(manual.TOPICS) do seen[#seen + 1] = { "alicloud-dr-" .. topic, 7 } end
  for i, variable in ipairs(variables) do
    items[i] = { roff.bold(variable.names), variable.about }
  end
  return page("alicloud-dr", {
    NAME = "alicloud\\-dr \\-\ndisaster recovery for Alibaba Cloud block storage",
    SYNOPSIS = ("%s [%s] %s [%s]"):format(roff.bold "alicloud-dr", roff.italic "options",
      roff.italic "<command>", roff.italic "arguments"),
    DESCRIPTION = roff.prose(all.description) .. "\n.PP\n" .. roff.prose("Each command has a page "
      .. "of its own, and so has each topic of the manual, which `alicloud-dr manual` shows, too."),
    COMMANDS = roff.list(commands), OPTIONS = option_list(all.options),
    ["EXIT STATUS"] = roff.text(told["EXIT STATUS"]), ENVIRONMENT = roff.list(items),
    FILES = files(function() return true end), EXAMPLES = roff.text(told.EXAMPLES),
    ["SEE ALSO"] = references(seen),
  }, context)
end

--- The date of the pages. It does not come from the clock: the same sources make the same pages.
---@param epoch string|nil SOURCE_DATE_EPOCH
---@param changelog string its newest heading with a date counts if `epoch` is no number
---@return string YYYY-MM-DD, "" if there is none
function M.date(epoch, changelog)
  local seconds = math.tointeger(tonumber(epoch))
  if seconds then return os.date("!%Y-%m-%d", seconds) end
  return changelog:match "\n## [^\n]-(%d%d%d%d%-%d%d%-%d%d)" or ""
end

--- All pages, by file name.
---@param date string
---@return table<string, string>
function M.pages(date)
  local all, is_command, pages = declared.read(), {}, {}
  local variables = variables_of(all.epilog)
  local context = { date = date, version = core.version.core }
  for _, command in ipairs(all.commands) do is_command[command.name] = true end
  for _, command in ipairs(all.commands) do
    pages[("alicloud-dr-%s.1"):format(command.name)] = command_page(command, variables, is_command,
      context)
  end
  pages["alicloud-dr.1"] = program_page(all, variables, context)
  for name, text in pairs(topics.pages(context)) do pages[name] = text end
  return pages
end

--- Writes all pages.
---@param directory string an existing one
---@param changelog string path
function M.write(directory, changelog)
  local log <close> = assert(io.open(changelog, "rb"))
  local date = M.date(os.getenv "SOURCE_DATE_EPOCH", log:read "a")
  for name, text in pairs(M.pages(date)) do
    local file <close> = assert(io.open(directory .. "/" .. name, "wb"))
    assert(file:write(text))
  end
end

return M
