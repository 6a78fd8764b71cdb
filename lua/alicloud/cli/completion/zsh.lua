--- Writes the completion script for zsh, as specifications of its function `_arguments`.

local candidates = require "alicloud.cli.completion.candidates"
local tables = require "alicloud.base.tables"

local M = {}

local HEAD = [=[
#compdef alicloud-dr
# Completion of alicloud-dr for zsh, written by: alicloud-dr completion zsh

# What was seen last; nobody is asked over the network.
_alicloud_dr_ask() {
  local -a found asked
  local line option word
  for option in --region --endpoint --profile; do
    if (( $+opt_args[$option] )); then asked+=("$option=${opt_args[$option]//\\:/:}"); fi
  done
  for line in ${(f)"$(command alicloud-dr completion --words $1 $asked 2>/dev/null)"}; do
    word=${${line%%$'\t'*}//:/\\:} line=${line#*$'\t'}
    found+=("$word${line:+:$line}")
  done
  _describe -t $1 $1 found
}

]=]

local MAIN = [=[
_alicloud-dr() {
  local curcontext=$curcontext state state_descr ret=1
  local -a line connection
  typeset -A opt_args
  _arguments -C -S @GLOBAL@ \
    '1:command:_alicloud_dr_command' '*:: :->command' && ret=0
  [[ $state == command ]] || return ret
  state=
  connection=(
@CONNECTION@
  )
  case $words[1] in
@COMMANDS@
  esac
  if [[ $state == param ]]; then _alicloud_dr_param "$line[1]" && ret=0; fi
  return ret
}

# As a file of $fpath it is called at once, as a sourced script it is made known.
if [[ $funcstack[1] == _alicloud-dr ]]; then
  _alicloud-dr "$@"
elif (( $+functions[compdef] )); then
  compdef _alicloud-dr alicloud-dr
fi
]=]

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- Colons divide the parts of a specification, and brackets enclose descriptions.
local function escape(text)
  return (text:gsub("[%[%]:\\]", "\\%0"))
end

local function function_of(placeholder)
  return "_alicloud_dr_" .. placeholder:gsub("[^%w].*$", "")
end

local function action_of(element)
  if element.choices then return "(" .. table.concat(element.choices, " ") .. ")" end
  if element.takes == "param" then return "->param" end
  return candidates.OF[element.takes] and function_of(element.takes) or " "
end

local function add_option(specs, option)
  local others = #option.names > 1 and ("(%s)"):format(table.concat(option.names, " ")) or ""
  if option.is_repeated then others = "*" end
  for _, name in ipairs(option.names) do
    if name == "--help" or name == "-h" then others = "(- *)" end
    local value = option.takes and (":%s:%s"):format(escape(option.takes), action_of(option)) or ""
    local equals = option.takes and name:find "^%-%-" and "=" or ""
    specs[#specs + 1] = quote(("%s%s%s[%s]%s"):format(others, name, equals,
      escape(candidates.short(option.about)), value))
  end
end

local function options_of(list)
  local specs = {}
  for _, option in ipairs(list) do add_option(specs, option) end
  return specs
end

local function argument_of(argument)
  local before = argument.is_repeated and "*" or argument.is_optional and ":" or ""
  return quote(("%s:%s:%s"):format(before, escape(argument.name), action_of(argument)))
end

-- Most commands have the same options of the connection: the script holds them once.
local function command_lines(commands)
  local connection, lines = table.concat(options_of(commands[1].connection), "\n    "), {}
  for _, command in ipairs(commands) do
    local specs, connected = options_of(command.options), options_of(command.connection)
    if table.concat(connected, "\n    ") == connection then connected = { "$connection" } end
    table.move(connected, 1, #connected, #specs + 1, specs)
    for _, argument in ipairs(command.arguments) do specs[#specs + 1] = argument_of(argument) end
    lines[#lines + 1] = ("    %s)\n      _arguments -s -S \\\n        %s && ret=0 ;;"):format(
      command.name, table.concat(specs, " \\\n        "))
  end
  return table.concat(lines, "\n"), "    " .. connection
end

local function described(list)
  local words = {}
  for i, word in ipairs(list) do
    local text = word[1]:gsub(":", "\\:")
    if word[2] ~= "" then text = text .. ":" .. candidates.short(word[2]) end
    words[i] = "    " .. quote(text)
  end
  return ("  found=(\n%s\n  )\n"):format(table.concat(words, "\n"))
end

-- The function that offers candidates for one placeholder.
local function offer_of(placeholder, given)
  local name, acts = placeholder:gsub("[^%w].*$", ""), {}
  if given.is_list then acts[#acts + 1] = "  compset -P '*,'\n" end
  if given.words then
    acts[#acts + 1] = described(given.words())
    acts[#acts + 1] = ("  _describe -t %s %s found && ret=0\n"):format(name, name)
  end
  if given.ask then acts[#acts + 1] = ("  _alicloud_dr_ask %s && ret=0\n"):format(given.ask) end
  if given.files == "all" then acts[#acts + 1] = "  _files && ret=0\n" end
  if given.files and given.files ~= "all" then
    acts[#acts + 1] = ("  _files -g '*.%s' && ret=0\n"):format(given.files)
  end
  if given.directories then acts[#acts + 1] = "  _files -/ && ret=0\n" end
  return ("%s() {\n  local ret=1\n  local -a found\n%s  return ret\n}\n"):format(
    function_of(placeholder), table.concat(acts))
end

-- The function that completes parameters of ready playbooks: names, and values behind `=`.
local function param_lines()
  local params, lines, values = candidates.params(), {}, {}
  for _, playbook in ipairs(tables.keys(params)) do
    local words = {}
    for i, param in ipairs(params[playbook]) do
      words[i] = { param.name, param.about }
      local before = param.takes == "group" and "compset -P '*,'; " or ""
      local act = param.choices and "compadd -- " .. table.concat(param.choices, " ")
        or param.takes and function_of(param.takes)
      if act then values[("    %s) %s%s ;;"):format(param.name, before, act)] = true end
    end
    lines[#lines + 1] = ("    %s)\n%s    ;;"):format(playbook, described(words))
  end
  return ([=[
_alicloud_dr_param() {
  local -a found
  if [[ $PREFIX != *=* ]]; then
    case $1 in
%s
    esac
    _describe -t parameters parameter found -S =
    return
  fi
  local name=${PREFIX%%%%=*}
  compset -P 1 '*='
  case $name in
%s
    *) return 1 ;;
  esac
}

]=]):format(table.concat(lines, "\n"), table.concat(tables.keys(values), "\n"))
end

--- Writes the script.
---@param declared alicloud.cli.Declared
---@return string
function M.script(declared)
  local offers = {}
  for i, placeholder in ipairs(tables.keys(candidates.OF)) do
    offers[i] = offer_of(placeholder, candidates.OF[placeholder])
  end
  local commands, connection = command_lines(declared.commands)
  local parts = { GLOBAL = table.concat(options_of(declared.options), " "), COMMANDS = commands,
    CONNECTION = connection }
  return HEAD .. table.concat(offers, "\n") .. "\n" .. param_lines()
    .. MAIN:gsub("@(%u+)@", parts)
end

return M
