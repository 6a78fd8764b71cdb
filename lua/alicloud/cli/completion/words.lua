--- The candidates that a completion script asks for at each key: groups and places that the last
--- looks have seen, and the journals of this machine. Needs neither network nor credentials.

local core = require "alicloud.core"
local formats = require "alicloud.base.formats"
local last_look = require "alicloud.cli.last_look"
local lazy = require "alicloud.base.lazy"
local regions = require "alicloud.service.common.regions"
local tables = require "alicloud.base.tables"
local terminal = require "alicloud.cli.terminal"

---@module "alicloud.cli.run_journal"
local run_journal = lazy.module "alicloud.cli.run_journal"

local M = {}

---@class alicloud.cli.WordsAsked
---@field region? string
---@field endpoint? string
---@field profile? string

local function lies_in(place, region)
  return place ~= nil and formats.region_of(place) == region
end

-- Only names that need no quoting in a shell are offered.
local SIMPLE = "^[%w_.-]+$"

local ASK = {}

function ASK.groups(add, asked, getenv)
  local region, named = asked.region or getenv "ALIBABA_CLOUD_REGION_ID" or "", {}
  for _, look in ipairs(last_look.looks(asked, getenv)) do
    for _, group in ipairs(look.groups) do
      if region == "" or look.region == region or lies_in(group.from, region)
        or lies_in(group.to, region) then
        local way = group.from and group.to and ("%s → %s"):format(group.from, group.to) or ""
        add(group.id, ("%s %s"):format(group.name or "", way))
        if group.name and group.name:find(SIMPLE) then named["name:" .. group.name] = group.id end
      end
    end
  end
  for _, name in ipairs(tables.keys(named)) do add(name, named[name]) end
end

function ASK.regions(add, asked, getenv)
  local looks = last_look.looks(asked, getenv)
  for _, region in ipairs(last_look.places(looks, false)) do add(region) end
  for _, region in ipairs(regions.known) do add(region) end
end

function ASK.places(add, asked, getenv)
  local looks = last_look.looks(asked, getenv)
  for _, place in ipairs(last_look.places(looks, true)) do add(place) end
  for _, region in ipairs(regions.known) do add(region) end
end

-- Journals in a shared store are left out: listing them needs the network.
function ASK.journals(add, _, getenv)
  local ok, directory = pcall(run_journal.directory, getenv)
  for _, name in ipairs(ok and core.list_directory(directory) or {}) do
    if name:find "^[%w_.-]+%.jsonl$" then add(directory .. "/" .. name) end
  end
end

--- Reads from a command line the options that choose the looks whose words are offered.
---@param argv string[]
---@return alicloud.cli.WordsAsked
function M.asked(argv)
  local asked = {}
  for i, word in ipairs(argv) do
    local name, value = word:match "^%-%-(%l+)=?(.*)$"
    if name then asked[name] = word:find("=", 1, true) and value or argv[i + 1] end
  end
  return asked
end

--- Candidates of a kind, one per line, each with its description behind a tab.
---@param kind string
---@param asked alicloud.cli.WordsAsked
---@param getenv fun(name: string): string|nil
---@return string
function M.lines(kind, asked, getenv)
  local lines, seen = {}, {}
  local function add(word, about)
    if seen[word] then return end
    seen[word] = true
    about = terminal.clean(about or ""):match "^%s*(.-)%s*$"
    lines[#lines + 1] = ("%s\t%s\n"):format(word, about)
  end
  if ASK[kind] then ASK[kind](add, asked, getenv) end
  return table.concat(lines)
end

return M
