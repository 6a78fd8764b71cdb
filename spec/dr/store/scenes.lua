--- What a shared store and what it stands on have to do, in a few scenes, each over the modules
--- that are loaded when it is played.

local core = require "alicloud.core"

local HOLDER = { owner = "ops", host = "here", pid = 1, since = "now", account = "1" }
local MEMBER = "http://127.0.0.1:1"

-- A bench over the modules that are loaded now.
local function start(has)
  package.loaded["spec.dr.store.shared_bench"] = nil
  local benches = require "spec.dr.store.shared_bench"
  package.loaded["spec.dr.store.shared_bench"] = nil
  return benches.start(has)
end

local function begin(bench, given)
  local store = bench.open("run", given)
  assert(store:lease("run", HOLDER))
  local text, err = store:load()
  assert(text, err)
  return store, text
end

local function code_of(_, err)
  return err and err.code
end

local function equal(expected, value)
  if expected ~= value then error(("%s, not %s"):format(value, expected), 2) end
end

local SCENES = {}

-- The successor writes over nothing, whoever still believes that he holds the run.
function SCENES.overtaken(has)
  local bench = start(has)
  local one = begin(bench)
  assert(one:append(1, "one\n", true))
  bench:expire(one)
  local two, text = begin(bench)
  equal("one\n", text)
  assert(two:append(2, "two\n", true))
  equal("Client.JournalLost", code_of(one:append(2, "other\n", true)))
  equal("one\ntwo\n", bench.open():load())
end

-- Nobody has come, but he might.
function SCENES.expired()
  local bench = start()
  local store = begin(bench)
  assert(store:append(1, "one\n", true))
  bench:expire(store)
  equal("Client.JournalLost", code_of(store:append(2, "two\n", true)))
  equal("one\n", bench.open():load())
end

-- The same lock, and somebody has written.
function SCENES.conflict(has)
  local bench = start(has)
  local store = begin(bench)
  assert(store:append(1, "one\n", true))
  bench.world:change()
  bench.world:put("/dr/v1/runs/run/rec/0000000002", "other\n")
  equal("Client.JournalConflict", code_of(store:append(2, "two\n", true)))
  equal("one\nother\n", bench.open():load())
end

function SCENES.lost_answer(has)
  local bench = start(has)
  local store = begin(bench)
  store.next = { op = has and "create" or "txn", fault = "lost_answer" }
  assert(store:append(1, "one\n", true))
  assert(store:append(2, "two\n", true))
  equal("one\ntwo\n", bench.open():load())
end

function SCENES.lost_lock()
  local bench = start()
  local store = bench.open()
  store.next = { op = "create", fault = "lost_answer" }
  assert(store:lease("run", HOLDER))
  local twin = bench.open()
  equal("Client.JournalLocked", code_of(twin:lease("run", HOLDER)))
end

function SCENES.fences()
  local bench = start()
  local last = 0
  for i = 1, 3 do
    local store = bench.open()
    local lease = assert(store:lease("run", HOLDER))
    assert(lease.fence > last and lease.fence < 1 << 53, "fence")
    last = lease.fence
    assert(store:load())
    assert(store:append(i, "record\n", true))
    store:close()
  end
end

function SCENES.window()
  local bench = start()
  local store = begin(bench)
  local began = bench.runtime.boottime()
  store.next = { op = "txn", fault = "late_answer", seconds = 3 }
  local _, send_by = store:append(1, "one\n", true)
  assert(send_by <= began + 4, "the window begins too late")
  bench:freeze(9)
  _, send_by = store:append(2, "two\n", true)
  assert(send_by <= store.session.held_until, "the window outlives the session")
end

-- The machine sleeps: one of its clocks stands still.
function SCENES.asleep()
  local bench = start()
  local asleep = 0
  local boottime = bench.runtime.boottime
  bench.runtime.boottime = function() return boottime() + asleep end
  bench.world.now = bench.runtime.boottime
  local store = begin(bench)
  asleep = 60
  equal("Client.JournalLost", code_of(nil, store:lost()))
end

-- The store kept on answering, but each time so late that nothing is sure.
function SCENES.late_renewals()
  local bench = start()
  local store = begin(bench)
  local asked = bench.runtime.boottime()
  store.next = { op = "renew", fault = "late_answer", seconds = 9 }
  bench:pass(10)
  assert(store.session.held_until <= asked + 14 + 4, "counted from the answer")
end

function SCENES.unreachable()
  local bench = start()
  local store = begin(bench)
  local told
  store:on_lost(function(err) told = err end)
  store.always = "unreachable"
  bench:pass(14.6)
  assert(told, "not told before the store could give it away")
end

function SCENES.lives()
  local bench = start()
  local store = begin(bench)
  bench:pass(120)
  assert(store:append(1, "one\n", true))
end

function SCENES.gone()
  local bench = start()
  local store = begin(bench)
  bench:expire(store)
  bench:pass(5)
  equal("Client.JournalLost", code_of(nil, store:lost()))
end

function SCENES.closed()
  local bench = start()
  local one = begin(bench)
  assert(one:append(1, "one\n", false))
  one:close()
  local _, text = begin(bench)
  equal("one\n", text)
end

function SCENES.restored()
  local bench = start()
  local path = require("spec.scratch").path() .. "/run.jsonl"
  local store = begin(bench, { mirror = path })
  assert(store:append(1, "one\n", true))
  local backup = bench.world:backup()
  assert(store:append(2, "two\n", true))
  store:close()
  bench.world:restore(backup)
  local other = bench.open("run", { mirror = path })
  assert(other:lease("run", HOLDER))
  equal("Client.JournalRolledBack", code_of(other:load()))
end

function SCENES.other_cluster()
  local bench = start()
  begin(bench):close()
  bench.world.cluster = "another"
  equal("Client.OtherCluster", code_of(bench.open():lease("run", HOLDER)))
end

function SCENES.pages()
  local bench = start()
  local store = begin(bench)
  for seq = 1, 700 do assert(store:append(seq, "line\n", seq == 700)) end
  equal(700 * 5, #bench.open():load())
end

function SCENES.accounts()
  local bench = start()
  local one, two = begin(bench), bench.open "other"
  assert(one:lease("group g", HOLDER))
  assert(two:lease("group g", { owner = "ops", account = "2" }))
  equal("Client.JournalLocked", code_of(bench.open("third"):lease("group g", HOLDER)))
end

function SCENES.one_session()
  local bench = start()
  local store = begin(bench)
  local two = bench.open("two", { session = store.session })
  assert(store:lease("group g", HOLDER))
  equal("Client.JournalLocked", code_of(two:lease("group g", HOLDER)))
end

-- A gateway that is asked what it is asked for.
local function requests_of(act)
  local list = {}
  local etcd = require "alicloud.dr.store.etcd"
  local keys = etcd.open { name = "store", members = { MEMBER }, loop = start().loop }
  keys.gateway.adapter = { send = function(request)
    list[#list + 1] = { path = request.url:match "/v3/(.*)$", body = core.decode(request.body) }
    return { status = 200, headers = {}, body = core.encode { header = { revision = "9",
      raft_term = "2", cluster_id = "1" }, succeeded = true,
      responses = core.array { { response_put = { prev_kv = { create_revision = "3" } } } } } }
  end, close = function() end }
  act(keys)
  return list
end

local function asks()
  return requests_of(function(keys)
    assert(keys:create("k", "v", "77"))
    assert(keys:swap("k", "w", "5"))
    assert(keys:drop("k", "5"))
    assert(keys:txn { when = { { key = "k", present = true }, { key = "k", created = "4" } },
      drop = { "k" }, read = { "k" } })
    keys:get "k"
    keys:list "k/"
  end)
end

-- Whoever leaves the target of a comparison out compares the version with zero, which holds of
-- every key that is not there.
function SCENES.comparisons()
  local count = 0
  for _, request in ipairs(asks()) do
    for _, compare in ipairs(request.body.compare or {}) do
      count = count + 1
      local field = compare.target == "MOD" and "mod_revision" or "create_revision"
      assert(compare.target == "MOD" or compare.target == "CREATE", "no target")
      assert(compare.result == "EQUAL" or compare.result == "GREATER", "no result")
      assert(compare[field], "nothing to compare with")
    end
  end
  equal(5, count)
end

-- A member that is cut off shows what was there before.
function SCENES.reads()
  for _, request in ipairs(asks()) do
    assert(not request.body.serializable, "a read at one member")
    for _, each in ipairs(request.body.failure or {}) do
      assert(not each.request_range.serializable, "a read at one member")
    end
  end
end

-- Answers of the gateway, one after the other; what is made of the last one.
local function last_of(path, ...)
  local answers, result, err = { ... }, nil, nil
  local gateways = require "alicloud.dr.store.gateway"
  local gateway = gateways.open { name = "store", members = { MEMBER }, loop = start().loop }
  local n = 0
  gateway.adapter = { send = function()
    n = math.min(n + 1, #answers)
    return { status = answers[n].status or 200, headers = {}, body = core.encode(answers[n]) }
  end }
  for _ = 1, #answers do result, err = gateway:ask(path, {}) end
  return result, err
end

local function head(revision, term, cluster)
  return { header = { revision = tostring(revision), raft_term = tostring(term),
    cluster_id = cluster or "1" } }
end

function SCENES.deposed()
  assert(last_of("lease/keepalive", head(1, 3), head(1, 3)))
  assert(not last_of("lease/keepalive", head(1, 3), head(1, 2)), "an old leader counts")
end

function SCENES.backwards()
  equal("Client.JournalRolledBack", code_of(last_of("kv/range", head(9, 3), head(8, 3))))
  equal("Client.OtherCluster", code_of(last_of("kv/range", head(9, 3), head(9, 3, "2"))))
end

return SCENES
