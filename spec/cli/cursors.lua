--- Command lines up to the cursor, and what every shell offers there: candidates that must be among
--- those offered, and some that must not. `{dir}` is a directory with files of several kinds.

local M = {}

---@class spec.cli.Cursor
---@field line string what is typed
---@field has string[] words
---@field lacks? string[]
---@field all? boolean nothing else is offered

---@type spec.cli.Cursor[]
M.LIST = {
  { line = "alicloud-dr sta", has = { "status", "start" }, all = true },
  { line = "alicloud-dr ", has = { "failover", "completion", "help" },
    lacks = { "--json", "pg-orders" } },
  { line = "alicloud-dr --", has = { "--version", "--json", "--help" }, lacks = { "--region" } },
  { line = "alicloud-dr failover --reg", has = { "--region" }, all = true },
  { line = "alicloud-dr drill --reg", has = { "--region" }, all = true },
  { line = "alicloud-dr drill ", has = { "start", "clear", "list" }, all = true },
  { line = "alicloud-dr drill start pg-o", has = { "pg-orders" }, all = true },
  { line = "alicloud-dr failover p", has = { "pg-orders", "pg-zones" }, all = true },
  { line = "alicloud-dr failover name:", has = { "name:orders" }, all = true },
  { line = "alicloud-dr failover pg-orders ", has = {}, lacks = { "pg-orders", "pg-zones" } },
  { line = "alicloud-dr status pg-zones pg-o", has = { "pg-orders" }, all = true },
  { line = "alicloud-dr precheck pg-zones pg-o", has = { "pg-orders" }, all = true },
  { line = "alicloud-dr precheck --exclude pg-o", has = { "pg-orders" }, all = true },
  { line = "alicloud-dr failover --region cn-shanghai pg-", has = { "pg-orders" },
    lacks = { "pg-zones" } },
  { line = "alicloud-dr failover --max-rpo 20m --why 'a b' pg-o", has = { "pg-orders" },
    all = true },
  { line = "alicloud-dr failover -- pg-o", has = { "pg-orders" }, all = true },
  { line = "alicloud-dr failover --region cn-shangh", has = { "cn-shanghai" },
    lacks = { "cn-hangzhou" } },
  { line = "alicloud-dr failover --region=cn-shangh", has = { "cn-shanghai" },
    lacks = { "cn-hangzhou" } },
  { line = "alicloud-dr failover --to cn-hangzhou-", has = { "cn-hangzhou-h", "cn-hangzhou-i" } },
  { line = "alicloud-dr status --network ", has = { "public", "vpc" }, all = true },
  { line = "alicloud-dr fence --force pg-o", has = { "pg-orders" }, all = true },
  { line = "alicloud-dr serve --force Cl", has = { "Client.PairSetIncomplete" }, all = true },
  { line = "alicloud-dr failover --force Client.First", has = { "Client.FirstSyncUnfinished" },
    all = true },
  { line = "alicloud-dr failover pg-orders --why ", has = {}, lacks = { "pg-orders", "status" } },
  { line = "alicloud-dr run f", has = { "failover", "failback", "fleet" } },
  { line = "alicloud-dr run {dir}/", has = { "{dir}/mine.lua", "{dir}/below" }, all = true },
  { line = "alicloud-dr run failover fence", has = { "fence=", "fence_for=" }, all = true },
  { line = "alicloud-dr run failover fence=", has = { "fence=try", "fence=must", "fence=no" },
    all = true },
  { line = "alicloud-dr run failover group=pg-o", has = { "group=pg-orders" }, all = true },
  { line = "alicloud-dr run fleet groups=pg-zones,pg-o", has = { "groups=pg-zones,pg-orders" },
    all = true },
  { line = "alicloud-dr run --kind drill failover region=cn-shangh",
    has = { "region=cn-shanghai" }, lacks = { "region=cn-hangzhou" } },
  { line = "alicloud-dr resume {dir}/", has = { "{dir}/run 1.jsonl", "{dir}/below" }, all = true },
  { line = "alicloud-dr report --output {dir}/", all = true,
    has = { "{dir}/mine.lua", "{dir}/run 1.jsonl", "{dir}/below", "{dir}/notes" } },
  { line = "alicloud-dr runs {dir}/", has = { "{dir}/below" }, all = true },
  { line = "alicloud-dr report --format j", has = { "json", "junit" }, all = true },
  { line = "alicloud-dr explain Client.Outcome", has = { "Client.OutcomeUnknown" }, all = true },
  { line = "alicloud-dr manual e", has = { "evidence", "emulator", "embedding", "event-loops" },
    all = true },
  { line = "alicloud-dr help fail", has = { "failover" }, all = true },
  { line = "alicloud-dr completion ", has = { "bash", "zsh", "fish" }, all = true },
  { line = "alicloud-dr call ecs:DescribeD", has = { "ecs:DescribeDisks" }, all = true },
  { line = "alicloud-dr emulator --scenario lost", has = { "lost-answer" }, all = true },
  { line = "alicloud-dr emulator --assume pair_order=", all = true,
    has = { "pair_order=staggered", "pair_order=together" } },
  { line = "alicloud-dr explore mine.lua --faults answers,cr", has = { "answers,crashes" },
    all = true },
}

--- What must hold of what was offered at a cursor. What a shell has left out of a candidate,
--- because it stands before the word already, is told by `standing`.
---@param cursor spec.cli.Cursor with the directory filled in
---@param offered string[]
---@param standing? fun(word: string): string the part of a candidate that the shell tells
function M.check(cursor, offered, standing)
  local set, list = {}, table.concat(offered, " | ")
  for _, word in ipairs(offered) do set[word] = true end
  local wanted = {}
  for _, word in ipairs(cursor.has) do
    local told = standing and standing(word) or word
    wanted[told] = true
    assert(set[told], ("%s lacks %s: %s"):format(cursor.line, told, list))
  end
  for _, word in ipairs(cursor.lacks or {}) do
    assert(not set[word], ("%s has %s: %s"):format(cursor.line, word, list))
  end
  for _, word in ipairs(cursor.all and offered or {}) do
    assert(wanted[word], ("%s has %s, too: %s"):format(cursor.line, word, list))
  end
end

--- What a script has printed that asks at each line: the words behind each.
---@param output string
---@return table<string, string[]> by the lines
function M.answers(output)
  local by_line, asked = {}, nil
  for line in output:gmatch "[^\r\n]+" do
    local head = line:match "^%[(.*)%]$"
    if head then
      asked, by_line[head] = head, {}
    elseif asked then
      table.insert(by_line[asked], line)
    end
  end
  return by_line
end

--- The cursors, in a directory that is made for them, and the environment of the shell: a cache of
--- what was seen.
---@return spec.cli.Cursor[]
---@return table<string, string> environment
function M.room()
  local core, scratch = require "alicloud.core", require "spec.scratch"
  local last_look = require "alicloud.cli.last_look"
  local directory, cache = scratch.directory(), scratch.directory()
  scratch.write(directory .. "/mine.lua", "")
  scratch.write(directory .. "/run 1.jsonl", "")
  scratch.write(directory .. "/notes", "")
  assert(core.make_directory(directory .. "/below"))
  local environment = { XDG_CACHE_HOME = cache, HOME = directory, XDG_STATE_HOME = directory }
  local function look(region, id, name, from, to)
    local function place(zone) return { region = zone:match "^(.*)%-%l$", zone = zone } end
    last_look.keep({}, function(variable) return environment[variable] end, region,
      { { group_id = id, name = name, role = "secondary", from = place(from), to = place(to) } },
      true)
  end
  look("cn-shanghai", "pg-orders", "orders", "cn-hangzhou-g", "cn-shanghai-b")
  look("cn-hangzhou", "pg-zones", "", "cn-hangzhou-h", "cn-hangzhou-i")
  local list = {}
  for i, cursor in ipairs(M.LIST) do
    local function fill(words)
      local filled = {}
      for n, word in ipairs(words) do filled[n] = word:gsub("{dir}", directory) end
      return filled
    end
    list[i] = { line = cursor.line:gsub("{dir}", directory), has = fill(cursor.has),
      lacks = cursor.lacks, all = cursor.all }
  end
  return list, environment
end

return M
