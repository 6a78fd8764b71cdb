-- The manual's table of what each command may do, held against what the kernel was asked for: the
-- examples of each row read, write, start and send exactly what its cells say.

local clusters = require "spec.etcd.cluster"
local core = require "alicloud.core"
local noted = require "spec.conformance.noted"
local process = require "spec.process"
local scratch = require "spec.scratch"
local traced = require "spec.traced"

local PLAYBOOK = [[
return require "alicloud.dr".playbook("orders", function(run)
  local orders = run:group("pg-orders", { region = "cn-shanghai" })
  run:step("check", function() return orders:precheck { max_rpo = "1d" } end)
  run:gate("promote", { need = 1, of = { "dba" }, expires = run.params.expires })
end)
]]

-- A run that stops production and then fails.
local FENCED = [[
return require "alicloud.dr".playbook("fenced", function(run)
  local orders = run:group("pg-orders", { region = "cn-shanghai" })
  run:step("fence", function() return orders:fence() end)
  run:step("promote", function() return nil, "not tonight" end)
end)
]]

-- What a fleet does with each of its groups.
local ITEM = [[
return require "alicloud.dr".playbook("item", { params = {
  { name = "group", type = "id", required = true, help = "which" },
  { name = "region", type = "region", required = true, help = "where" },
} }, function(run)
  local group = run:group(run.params.group, { region = run.params.region })
  run:step("check", function() return group:precheck { max_rpo = "1d" } end)
end)
]]

local CONFIG = [[{"current":"x","profiles":[{"name":"x","mode":"AK","access_key_id":"%s",
  "access_key_secret":"%s","region_id":"cn-shanghai"}]}]]

-- A place of an operator, with an account, a key, a playbook and the journal of a run that waits.
local function make_room(emulator)
  local room = scratch.directory()
  for _, name in ipairs { "/home", "/home/.aliyun", "/journals" } do
    assert(core.make_directory(room .. name))
  end
  scratch.write(room .. "/home/.aliyun/config.json", CONFIG:format(emulator.start.access_key_id,
    emulator.start.access_key_secret))
  scratch.write(room .. "/orders.lua", PLAYBOOK)
  scratch.write(room .. "/fenced.lua", FENCED)
  scratch.write(room .. "/item.lua", ITEM)
  scratch.write(room .. "/world.json",
    '{"regions":["cn-hangzhou","cn-shanghai"],"groups":[{'
    .. '"id":"pg-orders","source":"cn-hangzhou/cn-hangzhou-g","destination":'
    .. '"cn-shanghai/cn-shanghai-b","pairs":1,"status":"normal"}]}')
  scratch.write(room .. "/night.rec", noted.text { noted.exchange(1, "DescribeRegions",
    { RegionId = "cn-shanghai" }, {}) })
  local made = emulator:shell(([[cd '%s' && chmod 600 home/.aliyun/* *.lua world.json &&
    mkdir team && alicloud-dr approve --new-key ops.key --as ops >ops.txt &&
    alicloud-dr approve --new-key dba.key --as dba >dba.txt && chmod 600 dba.txt &&
    { ALICLOUD_DR_JOURNALS='%s/journals' alicloud-dr run orders.lua expires=1h \
        --region cn-shanghai --as ops --approvers dba.txt --journal journals/run.jsonl &
      until grep -qs gate_open journals/run.jsonl; do kill -0 $! || break; sleep 0.02; done
      kill $!; wait $!; }]]):format(room, room))
  assert(scratch.read(room .. "/journals/run.jsonl"):find "gate_open", made)
  return room
end

-- What the files of a room are called in the table. What is left is not of the room.
local KINDS = {
  { "^/home/%.aliyun/", "credentials" }, { "%.playbook$", "playbook" }, { "%.jsonl", "journal" },
  { "%.lock$", "journal" },
  { "^/journals$", "journal" }, { "%.key$", "key" }, { "/dba%.txt$", "approvers" },
  { "/world%.json$", "world" }, { "/report%.html", "report" }, { "%.lua", "playbook" },
  { "/seen.*%.json$", "findings" },
  { "/dr%.prom", "metrics" }, { "/night%.rec$", "recording" }, { "/bug%.txt$", "report" },
  { "%.har$", "HAR" },
  { "^/home/%.local/state/alicloud%-dr/history", "history" }, { "^/home/%.cache", "look" },
}

local function kinds_of(paths, room)
  local found, list = {}, {}
  for path in pairs(paths) do
    local own = path:sub(1, #room) == room and path:sub(#room + 1)
      or path:sub(1, 1) ~= "/" and "/" .. path
    for _, kind in ipairs(own and KINDS or {}) do
      if own:find(kind[1]) then
        found[kind[2]] = true
        break
      end
    end
  end
  for name in pairs(found) do list[#list + 1] = name end
  table.sort(list)
  return list
end

-- The examples of each row; its name is the first command of its first cell.
local EXAMPLES = {
  version = { "version", "explain Throttling", "explain site_direction", "manual",
    "manual security", "help plan" },
  completion = { "completion bash", "completion --words groups" },
  status = { "status", "status" },
  readiness = { "readiness", "readiness --format prometheus --output dr.prom" },
  precheck = { "precheck pg-orders", "whoami" },
  dependencies = { "dependencies" },
  conformance = { "conformance --drill pg-orders --yes --output seen.json",
    "conformance --continue seen.jsonl --yes --output seen-more.json" },
  call = { "call DescribeRegions", "failover pg-payments --yes", "drill start pg-orders --yes",
    "stop pg-orders --yes" },
  plan = { "plan orders.lua" },
  explore = { "explore orders.lua --seeds 2", "policy orders.lua --world world.json",
    "playbooks ./orders.lua" },
  playbooks = { "playbooks", "playbooks --copy drill" },
  run = { "run -y orders.lua expires=1s --as ops --approvers dba.txt "
    .. "--journal journals/second.jsonl --report report.html",
    "resume journals/second.jsonl --as ops --approvers dba.txt",
    "run failover group=pg-payments fence=no verify=true --as ops --sign ops.key -y" },
  fleet = { "fleet night groups=pg-payments region=cn-shanghai verify=true --yes",
    "fleet day groups=pg-orders region=cn-shanghai --playbook item.lua --yes",
    "fleet night --report report.html" },
  approve = { "approve journals/run.jsonl promote --as dba --key dba.key --yes",
    "approve --new-key new.key --as dba" },
  unfence = { "unfence journals/fenced.jsonl --yes" },
  handover = { "handover journals/run.jsonl --to team" },
  ungraceful = { "ungraceful journals/run.jsonl --as ops --why gone" },
  verify = { "verify journals/run.jsonl --approvers dba.txt", "explain journals/run.jsonl",
    "runs" },
  report = { "report journals/run.jsonl -o report.html --approvers dba.txt" },
  bugreport = { "bugreport journals/run.jsonl --recording night.rec -o bug.txt -y" },
  record = { "record night.rec --har night.har" },
  repl = { "repl" },
  emulator = { "emulator --port 0 --until-eof --world world.json" },
}

-- What has happened before the examples of a row.
local BEFORE = {
  completion = "HOME=$PWD/home XDG_CACHE_HOME= alicloud-dr status",
  unfence = "alicloud-dr run fenced.lua --region cn-shanghai --as ops --yes "
    .. "--journal journals/fenced.jsonl",
}

-- The store that the examples of a row need.
local function store_of(row)
  if row.name ~= "fleet" then return nil end
  local cluster = clusters.start()
  return cluster, "etcd+" .. cluster.address
end

local TYPED = { repl = [[
os.execute "true"
client:call("FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-payments" })
]] .. "\4" }

local function rows()
  local text = scratch.read "lua/alicloud/manual/security.md"
  local list = {}
  local within = text:match "\n## What each command may do\n(.-)\n## "
  for line in (within or ""):gmatch "[^\n]+" do
    local cells = {}
    for cell in line:gmatch "|([^|]*)" do cells[#cells + 1] = cell:match "^%s*(.-)%s*$" end
    local name = cells[1] and cells[1]:match "^`(%l+)"
    if name then list[#list + 1] = { name = name, cells = cells } end
  end
  return list
end

local function words_of(cell)
  local list = {}
  for word in cell:gmatch "%a+" do list[#list + 1] = word end
  table.sort(list)
  return list
end

-- What the examples of a row have done.
local function watch(row, emulator)
  local room = make_room(emulator)
  local cluster <close>, store = store_of(row)
  if BEFORE[row.name] then emulator:shell(("cd '%s' && %s"):format(room, BEFORE[row.name])) end
  local before = emulator:effects()
  local all = { read = {}, written = {}, reached = {}, programs = {} }
  for _, line in ipairs(assert(EXAMPLES[row.name], row.name)) do
    local seen = traced.run("alicloud-dr " .. line, {
      HOME = room .. "/home", ALICLOUD_DR_JOURNALS = room .. "/journals", USER = "ops",
      ALICLOUD_DR_STORE = store, ALIBABA_CLOUD_ENDPOINT = emulator.start.endpoint,
      ALIBABA_CLOUD_REGION_ID = "cn-shanghai", ALIBABA_CLOUD_ECS_METADATA_DISABLED = "true" }, room,
      TYPED[row.name])
    assert(seen.code < 2 or row.name == "readiness", line .. "\n" .. seen.output)
    for _, name in ipairs { "read", "written", "reached" } do
      for key in pairs(seen[name]) do all[name][key] = true end
    end
    table.move(seen.programs, 1, #seen.programs, #all.programs + 1, all.programs)
  end
  return { reads = kinds_of(all.read, room), writes = kinds_of(all.written, room),
    programs = all.programs, reached = all.reached, effects = emulator:effects() - before,
    store = cluster and cluster.address:match "//(.*)" }
end

local function check_programs(name, cell, programs)
  if cell == "–" then return assert.same({ name }, { name, table.unpack(programs) }) end
  assert.is_true(#programs > 0, name .. " starts")
  for _, program in ipairs(cell:find "^itself" and programs or {}) do
    assert.matches("/lua[%d.]*$", program)
  end
end

describe("what each command may do", function()
  it("is told of every command", function()
    local told = {}
    for _, row in ipairs(rows()) do
      for name in row.cells[1]:gmatch "`(%l+)" do told[name] = true end
    end
    local help <close> = assert(io.popen "alicloud-dr --help")
    local list = help:read "a":match "\nCommands:\n(.-)\n\n"
    for name in list:gmatch "%f[^\n%z]   (%l+)" do assert.is_true(told[name], name) end
  end)

  local function check_row(row)
    local emulator <close> = process.start_emulator()
    local did, cells = watch(row, emulator), row.cells
    assert.same({ row.name, words_of(cells[2]) }, { row.name, did.reads })
    assert.same({ row.name, words_of(cells[3]) }, { row.name, did.writes })
    check_programs(row.name, cells[4], did.programs)
    assert.equal(cells[5] ~= "–", next(did.reached) ~= nil, row.name .. " asks")
    local peers = { [emulator.start.endpoint:match "//(.*)"] = true, [did.store or 0] = true }
    for peer in pairs(did.reached) do assert.is_true(peers[peer], peer) end
    assert.equal(cells[6] ~= "–", did.effects > 0, row.name .. " changes")
  end

  it("is what the table of the manual says", function()
    if not traced.is_here() then return pending "needs root and strace" end
    local left = {}
    for name in pairs(EXAMPLES) do left[name] = true end
    for _, row in ipairs(rows()) do
      left[row.name] = nil
      if not (row.name == "fleet" and clusters.missing()) then check_row(row) end
    end
    assert.same({}, left)
  end)
end)
