--- Writes the completion script for bash 3.2 and later; it needs no package bash-completion.

local candidates = require "alicloud.cli.completion.candidates"
local shell = require "alicloud.base.shell"
local tables = require "alicloud.base.tables"

local M = {}

-- The script compares words itself: `compgen -W` would execute what is in them.
local HEAD = [=[
# Completion of alicloud-dr for bash, written by: alicloud-dr completion bash

# Takes the lines that begin with what was typed, up to a tab.
_alicloud_dr_take() {
  local line
  while IFS= read -r line; do
    line=${line%%$'\t'*}
    if [[ -n $line && $line == "$cur"* ]]; then COMPREPLY+=("$prefix$line"); fi
  done <<<"$1"
}

_alicloud_dr_words() {
  _alicloud_dr_take "${1// /$'\n'}"
}

# What was seen last; nobody is asked over the network.
_alicloud_dr_ask() {
  _alicloud_dr_take "$(command alicloud-dr completion --words "$1" ${asked[@]+"${asked[@]}"} \
    2>/dev/null)"
}

# Directories, and the files with a suffix, or all of them.
_alicloud_dr_files() {
  local name
  compopt -o filenames 2>/dev/null
  while IFS= read -r name; do
    if [[ -n $name ]]; then COMPREPLY+=("$prefix$name"); fi
  done <<<"$(compgen -d -- "$cur")"
  case $1 in
    -) return ;;
    all) set -- '' ;;
    *) set -- "!*.$1" ;;
  esac
  while IFS= read -r name; do
    if [[ -n $name && ! -d $name ]]; then COMPREPLY+=("$prefix$name"); fi
  done <<<"$(compgen -f -X "$1" -- "$cur")"
}

# Behind the last comma of a list.
_alicloud_dr_list() {
  local last=${cur##*,}
  prefix=$prefix${cur%"$last"} cur=$last
}
]=]

local MAIN = [=[

# The words up to the cursor, those that bash has cut at = and : put together again.
_alicloud_dr_join() {
  local line=${COMP_LINE:0:COMP_POINT} i word rest
  words=()
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    rest=${line#"${line%%[![:blank:]]*}"}
    if ((i == COMP_CWORD)); then word=$rest; fi
    if ((i > 0)) && [[ $rest == "$line" && -n $word ]]; then
      words[${#words[@]} - 1]+=$word
    else
      words+=("$word")
    fi
    line=${rest#"$word"}
  done
}

# What an option of the command takes, into kind; nothing for a flag.
_alicloud_dr_takes() {
  kind=
  if [[ " $takes " == *" $1="* ]]; then
    kind=" $takes "
    kind=${kind#*" $1="}
    kind=${kind%% *}
  fi
}

_alicloud_dr() {
  COMPREPLY=()
  local cur prefix= kind= command= options= takes= positions= first= ended= word i
  local words asked=() position=0
  _alicloud_dr_join
  for ((i = 1; i < ${#words[@]} - 1; i++)); do
    word=${words[i]}
    if [[ -n $kind ]]; then
      kind=
    elif [[ -n $ended || $word != -* || $word == - ]]; then
      if [[ -z $command ]]; then
        command=$word
        _alicloud_dr_command "$command"
      else
        if ((position == 0)); then first=$word; fi
        position=$((position + 1))
      fi
    else
      case $word in
        --) ended=1 ;;
        --region=* | --endpoint=* | --profile=*) asked+=("$word") ;;
        --region | --endpoint | --profile) asked+=("$word=${words[i + 1]}") ;;
      esac
      _alicloud_dr_takes "$word"
    fi
  done
  cur=${words[${#words[@]} - 1]}
  local typed=$cur
  if [[ -n $kind ]]; then
    _alicloud_dr_offer "$kind"
  elif [[ -z $ended && $cur == --*=* ]]; then
    _alicloud_dr_takes "${cur%%=*}"
    prefix=${cur%%=*}= cur=${cur#*=}
    _alicloud_dr_offer "${kind:-nothing}"
  elif [[ -z $ended && $cur == -* ]]; then
    if [[ -z $command ]]; then options='@GLOBAL@'; fi
    _alicloud_dr_words "$options"
  elif [[ -z $command ]]; then
    _alicloud_dr_offer command
  else
    local kinds
    IFS=' ' read -r -a kinds <<<"$positions"
    kind=${kinds[position]-}
    if [[ -z $kind && $positions == *+ ]]; then kind=${positions##* }; fi
    _alicloud_dr_offer "${kind%+}"
  fi
  # bash replaces what stands behind the last = or : only.
  case $typed in
    *[=:]*)
      local cut=${typed%"${typed##*[=:]}"}
      if [[ $COMP_WORDBREAKS == *"${cut#"${cut%?}"}"* ]]; then
        for ((i = 0; i < ${#COMPREPLY[@]}; i++)); do COMPREPLY[i]=${COMPREPLY[i]#"$cut"}; done
      fi ;;
  esac
  if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then compopt -o nospace 2>/dev/null; fi
}

complete -F _alicloud_dr alicloud-dr
]=]

-- The value of an option or argument as a word of the script's `takes` and `positions`: the name of
-- a case in `_alicloud_dr_offer`, or its choices, each with `|` behind it.
local function kind_of(element)
  if element.choices then return table.concat(element.choices, "|") .. "|" end
  if element.takes == "param" or candidates.OF[element.takes] then
    return (element.takes:gsub("[^%w].*$", ""))
  end
  return "nothing"
end

local function options_of(list, words, takes)
  for _, option in ipairs(list) do
    for _, name in ipairs(option.names) do
      words[#words + 1] = name
      if option.takes then takes[#takes + 1] = name .. "=" .. kind_of(option) end
    end
  end
end

local function positions_of(command)
  local kinds = {}
  for i, argument in ipairs(command.arguments) do
    kinds[i] = kind_of(argument) .. (argument.is_repeated and "+" or "")
  end
  return table.concat(kinds, " ")
end

-- Most commands have the same options of the connection: the script holds them once.
local function connection_of(commands)
  local words, takes = {}, {}
  options_of(commands[1].connection, words, takes)
  return table.concat(words, " "), table.concat(takes, " ")
end

-- The function that sets what a command takes. Options and placeholders need no quoting.
local function command_lines(commands)
  local connection, connected = connection_of(commands)
  local lines = { "", "_alicloud_dr_command() {", ("  local connection='%s'"):format(connection),
    ("  local connected='%s'"):format(connected), "  case $1 in" }
  for _, command in ipairs(commands) do
    local words, takes = {}, {}
    options_of(command.options, words, takes)
    options_of(command.connection, words, takes)
    local options, all = table.concat(words, " "), table.concat(takes, " ")
    if options:sub(-#connection) == connection then
      options = options:sub(1, -#connection - 1) .. "$connection"
      all = all:sub(1, -#connected - 1) .. "$connected"
    end
    lines[#lines + 1] = ('    %s)\n      options="%s"\n      takes="%s"\n      positions="%s" ;;')
      :format(command.name, options, all, positions_of(command))
  end
  lines[#lines + 1] = "  esac\n}\n"
  return table.concat(lines, "\n")
end

local function quoted_words(list)
  local words = {}
  for i, word in ipairs(list) do words[i] = type(word) == "table" and word[1] or word end
  return "_alicloud_dr_words " .. shell.quote(table.concat(words, " "))
end

-- The commands that offer candidates for one placeholder.
local function offer_of(given)
  local acts = {}
  if given.is_list then acts[#acts + 1] = "_alicloud_dr_list" end
  if given.words then acts[#acts + 1] = quoted_words(given.words()) end
  if given.ask then acts[#acts + 1] = "_alicloud_dr_ask " .. given.ask end
  if given.files then acts[#acts + 1] = "_alicloud_dr_files " .. given.files end
  if given.directories then acts[#acts + 1] = "_alicloud_dr_files -" end
  return table.concat(acts, "\n      ")
end

local function offer_lines()
  local lines = { "_alicloud_dr_offer() {", "  case $1 in" }
  for _, name in ipairs(tables.keys(candidates.OF)) do
    lines[#lines + 1] = ("    %s)\n      %s ;;"):format(name:gsub("[^%w].*$", ""),
      offer_of(candidates.OF[name]))
  end
  lines[#lines + 1] = "    param) _alicloud_dr_param ;;"
  lines[#lines + 1] = "    *\\|*) _alicloud_dr_words \"${1//|/ }\" ;;"
  lines[#lines + 1] = "  esac\n}\n"
  return table.concat(lines, "\n")
end

-- The function that completes parameters of ready playbooks: names, and values behind `=`.
local function param_lines()
  local params, lines, values = candidates.params(), {}, {}
  for _, playbook in ipairs(tables.keys(params)) do
    local names = {}
    for i, param in ipairs(params[playbook]) do
      names[i] = param.name .. "="
      if param.takes or param.choices then
        values[("    %s)%s _alicloud_dr_offer %s ;;"):format(param.name,
          param.takes == "group" and " _alicloud_dr_list;" or "",
          shell.quote(kind_of(param)))] = true
      end
    end
    lines[#lines + 1] = ("      %s) %s ;;"):format(playbook, quoted_words(names))
  end
  return ([=[
_alicloud_dr_param() {
  if [[ $cur != *=* ]]; then
    case $first in
%s
    esac
    return
  fi
  local name=${cur%%%%=*}
  prefix=$name= cur=${cur#*=}
  case $name in
%s
  esac
}
]=]):format(table.concat(lines, "\n"), table.concat(tables.keys(values), "\n"))
end

--- Writes the script.
---@param declared alicloud.cli.Declared
---@return string
function M.script(declared)
  local anywhere = {}
  options_of(declared.options, anywhere, {})
  return HEAD .. command_lines(declared.commands) .. "\n" .. offer_lines() .. "\n"
    .. param_lines() .. MAIN:gsub("@(GLOBAL)@", { GLOBAL = table.concat(anywhere, " ") })
end

return M
