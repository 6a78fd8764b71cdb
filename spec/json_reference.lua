--- The manual's topic `json`, made from the declarations of what commands print: `make types`
--- writes it, a spec fails when it is not what this makes.

local shapes = require "alicloud.cli.json_shapes"
local sorted = require "alicloud.base.tables"

local M = {}

M.PATH = "lua/alicloud/manual/json.md"

local INTRO = [[
# JSON: what every command prints with --json, field by field

With `--json` a command prints one object on one line to standard output, whatever comes of it.
Questions and progress go to standard error. This page is made by `make types` from what
`lua/alicloud/cli/json_shapes/` declares, and the specs hold what commands print against that.

- `schema` is a number, 1, in every object, on its first level. It becomes another one only where a
  field changes its meaning or goes. New fields, and new words of the service, may come at any time:
  whoever reads this should pass over what is not known.
- `exit` is the exit code of the command.
- `error` is there where a command failed, or could not do all that was asked. Where it failed
  altogether there is nothing beside it unless the command's table says otherwise.
- Numbers may have a fraction. Moments are unix seconds (UTC), spans are seconds. What is not known
  is missing, never `null`. Lists may be empty.
- What is written *so* is an object that several commands print; its fields are told once, below.
- `alicloud-dr manual json --schema` prints all of this as JSON Schema; what the command NAME prints
  is `#/$defs/command_NAME` in it.
- Journals have a form of their own (`alicloud-dr manual evidence`).

```text
alicloud-dr status --json | jq '.groups[] | select(.status != "normal") | .group_id'
alicloud-dr readiness pg-orders --json | jq -r '.groups[0].reasons[]'
```
]]

local function escaped(text)
  return (text:gsub("|", "\\|"))
end

local add_rows

-- What is told in place: the fields of an object that has no name, or of a list of such.
local function add_inner(rows, path, rule, named)
  local inner = rule.each or rule.map
  if inner then
    add_inner(rows, path .. (rule.each and "[]" or ".NAME"), inner, named)
  elseif rule.named then
    named[rule.named] = rule
  elseif rule.order then
    add_rows(rows, path .. ".", rule.order, named)
  end
end

function add_rows(rows, prefix, order, named)
  for _, field in ipairs(order) do
    local name, optional = field[1]:match "^([^?]+)(%??)$"
    local rule, doc = field[2], field[3]
    rows[#rows + 1] = ("| `%s%s` | %s%s | %s |"):format(prefix, name, escaped(rule.is),
      optional == "?" and ", or missing" or "", escaped(doc or ""))
    add_inner(rows, prefix .. name, rule, named)
  end
end

local function add_table(lines, order, named)
  table.move({ "", "| field | what | meaning |", "|---|---|---|" }, 1, 3, #lines + 1, lines)
  add_rows(lines, "", order, named)
end

-- Commands that print the same are told of together.
local function add_commands(lines, names, named)
  lines[#lines + 1] = ""
  lines[#lines + 1] = "## " .. table.concat(names, ", ")
  for _, output in ipairs(shapes.COMMANDS[names[1]]) do
    local when = output[2]
    if when ~= "" then
      table.move({ "", when:sub(1, 1):upper() .. when:sub(2) .. ":" }, 1, 2, #lines + 1, lines)
    end
    add_table(lines, output[1], named)
  end
end

local function together()
  local list, by_order = {}, {}
  for _, name in ipairs(shapes.names()) do
    local order = shapes.COMMANDS[name][1][1]
    if not by_order[order] then
      by_order[order] = {}
      list[#list + 1] = by_order[order]
    end
    table.insert(by_order[order], name)
  end
  return list
end

-- A shared object may have others in it.
local function add_named(lines, named)
  local told, left = {}, sorted.keys(named)
  while #left > 0 do
    for _, name in ipairs(left) do
      told[name] = {}
      add_table(told[name], named[name].order, named)
    end
    left = {}
    for _, name in ipairs(sorted.keys(named)) do
      if not told[name] then left[#left + 1] = name end
    end
  end
  for _, name in ipairs(sorted.keys(told)) do
    lines[#lines + 1] = ""
    lines[#lines + 1] = "### " .. name
    table.move(told[name], 1, #told[name], #lines + 1, lines)
  end
end

--- The text of the topic.
---@return string
function M.text()
  local lines, named = {}, { error = shapes.FAILURE[1][1][2] }
  for _, names in ipairs(together()) do add_commands(lines, names, named) end
  lines[#lines + 1] = ""
  lines[#lines + 1] = "## What several commands print"
  add_named(lines, named)
  return INTRO .. table.concat(lines, "\n") .. "\n"
end

--- Writes it.
function M.write()
  local file = assert(io.open(M.PATH, "wb"))
  assert(file:write(M.text()))
  assert(file:close())
end

return M
