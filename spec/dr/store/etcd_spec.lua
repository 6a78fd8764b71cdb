-- A run's journal in real members of etcd, which die, stand still, lose answers and run full.

local bench = require "spec.dr.store.etcd_bench"
local clusters = require "spec.etcd.cluster"
local contract = require "spec.dr.store.contract"
local core = require "alicloud.core"
local lossies = require "spec.etcd.lossy"
local scratch = require "spec.scratch"

local missing = clusters.missing()
if missing then
  pending("a run in etcd: " .. missing)
  return
end

-- A process that has the run, and what was in it.
local function begin(address, options)
  local process = bench.process(address, options)
  assert(process.store:lease("run", contract.HOLDER))
  return process, assert(process.store:load())
end

-- Appends durable records from one number to another, and does something before some of them.
local function append(process, from, to, before)
  for i = from, to do
    if before and before[i] then before[i]() end
    local ok, err = process.store:append(i, ("record %d\n"):format(i), true)
    assert(ok, err and tostring(err))
  end
end

local function records(count)
  local lines = {}
  for i = 1, count do lines[i] = ("record %d\n"):format(i) end
  return table.concat(lines)
end

-- Whoever comes next finds each record once.
local function assert_records(address, options, count)
  local process <close>, text = begin(address, options)
  assert.equal(records(count), text)
  return process
end

-- Waits for a run's lock as a standby does.
local function wait_for(process)
  local limit = core.monotonic() + 60
  while true do
    local lease, err = process.store:lease("run", contract.HOLDER)
    if lease then return lease end
    assert.equal("Client.JournalLocked", err.code)
    assert.is_true(core.monotonic() < limit, "nobody has let go of the lock")
    process.loop.sleep(0.1)
  end
end

describe("a run in three members of etcd", function()
  local cluster, options

  before_each(function()
    cluster, options = clusters.start { members = 3 }, { prefix = bench.prefix() }
  end)
  after_each(function() cluster:close() end)

  it("goes on while its leader is killed, stands still, and comes back", function()
    local process <close> = begin(cluster.address, options)
    local first, second
    append(process, 1, 40, {
      [10] = function()
        first = assert(cluster:leader())
        cluster:kill(first)
      end,
      [20] = function() cluster:restart(first) end,
      [30] = function()
        second = assert(cluster:leader())
        cluster:stop(second)
      end,
      [35] = function() cluster:continue(second) end,
    })
    process:close()
    assert_records(cluster.address, options, 40)
  end)

  it("goes on while the members are compacted and defragmented", function()
    local process <close> = begin(cluster.address, options)
    local function tidy()
      local answer = assert(core.decode(cluster:ask(1, "/v3/maintenance/status", {}).body))
      cluster:ctl("compact", answer.header.revision)
      cluster:ctl "defrag"
    end
    append(process, 1, 60, { [20] = tidy, [40] = tidy })
    process:close()
    assert_records(cluster.address, options, 60)
  end)

  it("stops in time where the members have no quorum, and is whole for the next one", function()
    -- So long that no slow write is taken for the end of the session.
    options.ttl = 6
    local process <close> = begin(cluster.address, options)
    append(process, 1, 3)
    cluster:kill(1)
    cluster:kill(2)
    local began = core.monotonic()
    local ok, err = process.store:append(4, "record 4\n", true)
    assert.is_nil(ok)
    -- The session is over, and the try that ran then has ended.
    assert.is_true(core.monotonic() - began < options.ttl + 2 * 3 + 1)
    assert.same({ "journal", "not_sent" }, { err.kind, err.outcome })
    assert.is_nil((process.store:append(4, "record 4\n", true)))
    cluster:restart(1)
    cluster:restart(2)
    local heir <close> = bench.process(cluster.address, options)
    wait_for(heir)
    local text = heir.store:load()
    assert.is_true(text == records(3) or text == records(4), text)
  end)
end)

describe("a run in etcd whose answers are lost", function()
  local cluster, options

  before_each(function()
    cluster, options = clusters.start(), { prefix = bench.prefix() }
  end)
  after_each(function() cluster:close() end)

  it("has each record once, whatever was sent how often", function()
    for seed = 1, 2 do
      options.run = "run" .. seed
      local proxy <close> = lossies.start(cluster.address, { seed = seed, lateness = 0.1,
        rates = { swallow = 0.2, cut = 0.1, refuse = 0.1, late = 0.1 } })
      local process <close> = begin(proxy.address, options)
      append(process, 1, 30)
      process:close()
      assert.is_true(proxy:count("swallow", "/v3/kv/txn") > 0)
      -- That the lock was given back may be lost, too: then it ends with its session.
      local heir <close> = bench.process(cluster.address, options)
      wait_for(heir)
      assert.equal(records(30), heir.store:load())
    end
  end)

  it("is asked again where nothing comes at all", function()
    local muted = false
    local proxy <close> = lossies.start(cluster.address, { choose = function(_, _, body)
      if muted or not body:find(core.base64 "record 2\n", 1, true) then return "pass" end
      muted = true
      return "mute"
    end })
    local process <close> = begin(proxy.address, options)
    append(process, 1, 3)
    process:close()
    assert_records(cluster.address, options, 3)
  end)

  -- The request of whoever was taken over is on its way longer than his session lives.
  local function overtaken(heir_has_written)
    options.ttl = 5
    local is_held_up = false
    local proxy <close> = lossies.start(cluster.address, { lateness = math.huge,
      choose = function(_, path, body)
        if body:find(core.base64 "record 2\n", 1, true) then
          is_held_up = true
          return "late"
        end
        return is_held_up and path == "/v3/lease/keepalive" and "lose" or "pass"
      end })
    local process = begin(proxy.address, options)
    append(process, 1, 1)
    local ok, err = process.store:append(2, "record 2\n", true)
    assert.is_nil(ok)
    assert.same({ "journal", "not_sent" }, { err.kind, err.outcome })
    local heir <close> = bench.process(cluster.address, { prefix = options.prefix })
    wait_for(heir)
    assert.equal(records(1), heir.store:load())
    if heir_has_written then assert(heir.store:append(2, "of the heir\n", true)) end
    proxy:deliver()
    local limit = core.monotonic() + 60
    while proxy:count "delivered" < proxy:count "late" do
      assert.is_true(core.monotonic() < limit)
      heir.loop.sleep(0.02)
    end
    assert.equal(records(1) .. (heir_has_written and "of the heir\n" or ""), heir.store:load())
  end

  it("keeps out what arrives late from whoever was taken over", function() overtaken(true) end)

  it("keeps it out though the heir has written nothing yet", function() overtaken(false) end)
end)

describe("a run in etcd with large records", function()
  it("is read whole, though one answer cannot hold them", function()
    local cluster <close> = clusters.start()
    local process <close> = begin(cluster.address, { prefix = bench.prefix() })
    local lines = {}
    for i = 1, 12 do
      lines[i] = ("%d%s\n"):format(i, ("x"):rep(1000000))
      assert(process.store:append(i, lines[i], true))
    end
    assert.is_true(process.store:load() == table.concat(lines))
  end)
end)

describe("a run in etcd that is full", function()
  it("says so, lets go of its locks, and goes on once there is room", function()
    local cluster <close> = clusters.start { quota = 2 * 1024 * 1024 }
    local options = { prefix = bench.prefix() }
    local process <close> = begin(cluster.address, options)
    append(process, 1, 2)
    assert.is_true((process.store:reserve()))
    local value = core.base64(("x"):rep(300000))
    local limit = core.monotonic() + 60
    repeat
      assert.is_true(core.monotonic() < limit)
      local answer = cluster:ask(1, "/v3/kv/put", { key = core.base64 "/other", value = value })
    until answer.status == 429
    local ok, err = process.store:reserve()
    assert.is_nil(ok)
    assert.matches("alarm disarm", err.hint)
    ok, err = process.store:append(3, "record 3\n", true)
    assert.is_nil(ok)
    assert.same({ "Client.JournalFailed", "not_sent" }, { err.code, err.outcome })
    assert.matches("Compact", err.hint)
    process:close()
    local heir <close> = bench.process(cluster.address, options)
    assert.is_false(heir.store:hold().held)
    local lease
    lease, err = heir.store:lease("run", contract.HOLDER)
    assert.is_nil(lease)
    assert.matches("Compact", err.hint)
    local revision = core.decode(cluster:ask(1, "/v3/maintenance/status", {}).body).header.revision
    -- There is room once what is old is really gone.
    cluster:ctl("compact", "--physical", revision)
    cluster:ctl "defrag"
    cluster:ctl("alarm", "disarm")
    assert_records(cluster.address, options, 2)
  end)
end)

describe("a run in etcd that was restored from a backup", function()
  local cluster, options, snapshot

  before_each(function()
    cluster = clusters.start()
    options = { prefix = bench.prefix(), mirror = scratch.path() .. "/m" }
  end)
  after_each(function() cluster:close() end)

  -- Nobody renews a session while a snapshot is saved or put back.
  it("is refused by whoever has a copy of what was acknowledged", function()
    options.ttl = 10
    local process = begin(cluster.address, options)
    append(process, 1, 3)
    snapshot = cluster:snapshot()
    append(process, 4, 5)
    process:close()
    cluster:restore(snapshot)
    local heir <close> = bench.process(cluster.address, options)
    wait_for(heir)
    local text, err = heir.store:load()
    assert.is_nil(text)
    assert.equal("Client.JournalRolledBack", err.code)
    -- What it advises helps.
    assert(os.execute(err.hint:match "mv .*$"))
    heir:close()
    assert_records(cluster.address, options, 3)
  end)

  it("is noticed by whoever was at work meanwhile", function()
    options.ttl = 120
    local process <close> = begin(cluster.address, options)
    append(process, 1, 2)
    snapshot = cluster:snapshot()
    append(process, 3, 9)
    cluster:restore(snapshot)
    local ok, err = process.store:append(10, "record 10\n", true)
    assert.is_nil(ok)
    assert.equal("Client.JournalRolledBack", err.code)
  end)
end)
