--- Writes the completion script for fish.

local candidates = require "alicloud.cli.completion.candidates"
local tables = require "alicloud.base.tables"

local M = {}

local HEAD = [=[
# Completion of alicloud-dr for fish, written by: alicloud-dr completion fish

# Options of a command that take a value.
function __alicloud_dr_takes
    switch $argv[1]
@TAKES@
    end
end

# What was typed up to the cursor, without options and their values: the command first.
function __alicloud_dr_typed
    set -l tokens (commandline -opc)
    set -e tokens[1]
    set -l command
    set -l skip
    set -l ended
    for token in $tokens
        if test -n "$skip"
            set skip
        else if test -n "$ended"; or not string match -q -- '-?*' $token
            set -q command[1]; or set command $token
            echo -- $token
        else if test "$token" = --
            set ended 1
        else if set -q command[1]; and contains -- $token (__alicloud_dr_takes $command)
            set skip 1
        end
    end
end

# The command is one of these.
function __alicloud_dr_is
    set -l typed (__alicloud_dr_typed)
    set -q typed[1]; and contains -- $typed[1] $argv
end

# An argument with this number of this command comes next, or with a + a later one.
function __alicloud_dr_at
    set -l typed (__alicloud_dr_typed)
    test "$typed[1]" = $argv[1]; or return 1
    test (count $typed) -eq $argv[2]; and return 0
    set -q argv[3]; and test (count $typed) -gt $argv[2]
end

# What was seen last; nobody is asked over the network.
function __alicloud_dr_ask
    set -l asked
    set -l tokens (commandline -opc)
    for option in --region --endpoint --profile
        set -l at (contains -i -- $option $tokens)
        and set -a asked $option=$tokens[(math $at + 1)]
        set -l joined (string match -- "$option=*" $tokens)
        and set -a asked $joined[1]
    end
    command alicloud-dr completion --words $argv[1] $asked 2>/dev/null
end

# What stands before the last comma of a list, with each of the words.
function __alicloud_dr_listed
    set -l typed (commandline -ct | string replace -r '^--[a-z-]+=' '')
    string replace -r '^' -- (string match -r '^(?:.*,)?' -- $typed) $argv
end

]=]

local function quote(text)
  return "'" .. text:gsub("[\\']", "\\%0") .. "'"
end

local function function_of(placeholder)
  return "__alicloud_dr_" .. placeholder:gsub("[^%w].*$", "")
end

-- The options of fish's `complete` that offer values for an option or an argument.
local function values_of(element)
  if element.choices then return "-a " .. quote(table.concat(element.choices, " ")) end
  if element.takes == "param" then return "-a '(__alicloud_dr_param)'" end
  local given = candidates.OF[element.takes]
  if not given then return nil end
  if given.files == "all" and not given.words then return "-F" end
  return ("-a '(%s)'"):format(function_of(element.takes))
end

local function option_text(option)
  local words = {}
  for _, name in ipairs(option.names) do
    local long = name:match "^%-%-(.*)$"
    words[#words + 1] = long and "-l " .. long or "-s " .. name:sub(2)
  end
  if option.takes then
    local values = values_of(option)
    words[#words + 1] = values == "-F" and "-r -F" or values and "-x " .. values or "-x"
  end
  words[#words + 1] = "-d " .. quote(candidates.short(option.about))
  return table.concat(words, " ")
end

-- Commands that have the same option share one line of the script.
local function option_lines(declared)
  local lines, order, by_text = {}, {}, {}
  for _, command in ipairs(declared.commands) do
    for _, list in ipairs { command.options, command.connection } do
      for _, option in ipairs(list) do
        local text = option_text(option)
        if not by_text[text] then
          by_text[text] = {}
          order[#order + 1] = text
        end
        table.insert(by_text[text], command.name)
      end
    end
  end
  for _, option in ipairs(declared.options) do
    lines[#lines + 1] = ("complete -c alicloud-dr -n 'not __alicloud_dr_typed | read -l first' %s")
      :format(option_text(option))
  end
  for _, text in ipairs(order) do
    lines[#lines + 1] = ("complete -c alicloud-dr -n '__alicloud_dr_is %s' %s"):format(
      table.concat(by_text[text], " "), text)
  end
  return lines
end

local function argument_lines(commands, lines)
  for _, command in ipairs(commands) do
    for i, argument in ipairs(command.arguments) do
      local values = values_of(argument)
      if values then
        lines[#lines + 1] = ("complete -c alicloud-dr -n '__alicloud_dr_at %s %d%s' %s"):format(
          command.name, i, argument.is_repeated and " +" or "", values)
      end
    end
  end
  return lines
end

local function takes_lines(commands)
  local lines = {}
  for _, command in ipairs(commands) do
    local names = {}
    for _, list in ipairs { command.options, command.connection } do
      for _, option in ipairs(list) do
        if option.takes then table.move(option.names, 1, #option.names, #names + 1, names) end
      end
    end
    if #names > 0 then
      lines[#lines + 1] = ("        case %s\n            printf '%%s\\n' %s"):format(command.name,
        table.concat(names, " "))
    end
  end
  return table.concat(lines, "\n")
end

local function printed(list, indent)
  local words = {}
  for i, word in ipairs(list) do
    words[i] = indent .. "    " .. quote(word[1] .. "\t" .. candidates.short(word[2]))
  end
  return ("%sprintf '%%s\\n' \\\n%s"):format(indent, table.concat(words, " \\\n"))
end

-- The function that offers candidates for one placeholder.
local function offer_of(placeholder, given)
  local acts = {}
  if given.words then acts[#acts + 1] = printed(given.words(), "    ") end
  if given.is_list then
    acts[1] = acts[1]:gsub("printf '%%s\\n'", "__alicloud_dr_listed", 1)
  end
  if given.ask then acts[#acts + 1] = "    __alicloud_dr_ask " .. given.ask end
  if given.files == "all" then acts[#acts + 1] = "    __fish_complete_path (commandline -ct)" end
  if given.files and given.files ~= "all" then
    acts[#acts + 1] = ("    __fish_complete_suffix .%s"
      .. " | string match -r '^[^\\t]*(?:/|\\.%s)(?:\\t.*)?$'"):format(given.files, given.files)
  end
  if given.directories then
    acts[#acts + 1] = "    __fish_complete_directories (commandline -ct)"
  end
  return ("function %s\n%s\nend\n"):format(function_of(placeholder), table.concat(acts, "\n"))
end

-- The function that completes parameters of ready playbooks: names, and values behind `=`.
local function param_lines()
  local params, lines, values = candidates.params(), {}, {}
  for _, playbook in ipairs(tables.keys(params)) do
    local words = {}
    for i, param in ipairs(params[playbook]) do
      words[i] = { param.name .. "=", param.about }
      local act = param.choices and "printf '%s\\n' " .. table.concat(param.choices, " ")
        or param.takes and function_of(param.takes)
      if act then
        values[("        case %s\n            set values (%s)"):format(param.name, act)] = true
      end
    end
    lines[#lines + 1] = ("            case %s\n%s"):format(playbook,
      printed(words, "                "))
  end
  return ([=[
function __alicloud_dr_param
    set -l typed (__alicloud_dr_typed)
    set -l parts (string split -m 1 = -- (commandline -ct))
    if not set -q parts[2]
        switch "$typed[2]"
%s
        end
        return
    end
    set -l values
    switch $parts[1]
%s
    end
    set -l before (string match -r '^(?:.*,)?' -- $parts[2])
    test (count $values) -gt 0; and printf '%%s\n' $parts[1]=$before$values
end
]=]):format(table.concat(lines, "\n"), table.concat(tables.keys(values), "\n"))
end

--- Writes the script.
---@param declared alicloud.cli.Declared
---@return string
function M.script(declared)
  local parts = { (HEAD:gsub("@(TAKES)@", { TAKES = takes_lines(declared.commands) })) }
  for _, placeholder in ipairs(tables.keys(candidates.OF)) do
    local given = candidates.OF[placeholder]
    if given.files ~= "all" or given.words then parts[#parts + 1] = offer_of(placeholder, given) end
  end
  parts[#parts + 1] = param_lines()
  parts[#parts + 1] = "complete -c alicloud-dr -f\n"
    .. "complete -c alicloud-dr -n 'not __alicloud_dr_typed | read -l first' -a "
    .. "'(__alicloud_dr_command)'"
  local lines = argument_lines(declared.commands, option_lines(declared))
  parts[#parts + 1] = table.concat(lines, "\n") .. "\n"
  return table.concat(parts, "\n")
end

return M
