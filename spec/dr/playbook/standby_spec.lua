-- A second controller that waits until the run is free, and goes on with it.

local core = require "alicloud.core"
local dr = require "alicloud.dr"
local errors = require "alicloud.base.error"
local memory_keys = require "alicloud.dr.store.memory_keys"
local shared_disk = require "spec.dr.store.shared_disk"
local stages = require "spec.dr.playbook.stage"
local stores = require "alicloud.dr.store.shared"

local function waits_of(told)
  local list = {}
  for _, event in ipairs(told) do
    if event.type == "standby" then list[#list + 1] = event end
  end
  return list
end

describe("a run on standby", function()
  it("begins at once where nobody has the run", function()
    local stage = stages.new()
    local told = {}
    assert(stage:run(stage:move(), { standby = true,
      progress = function(event) told[#told + 1] = event end }))
    assert.same({}, waits_of(told))
  end)

  it("waits for whoever has it, says who and since when, and goes on when it is free", function()
    local stage = stages.new()
    local store = stage.disk:open "run"
    local lease = assert(store:lease("run", { owner = "first", host = "alpha", pid = 7,
      since = "2026-11-22T03:19:52Z" }))
    local loop, told, began = stage.bench.client.loop, {}, stage.bench.client.loop.now()
    local wall, held = stage.bench.client.runtime.time(), nil
    loop.spawn_shared(function()
      loop.sleep(30)
      lease:release()
    end)
    local result = assert(stage:run(stage:move(), { standby = true, progress = function(event)
      told[#told + 1] = event
      event.moment = loop.now()
      held = event.type == "attempt" and stage.disk.leases["run run"].holder or held
    end }))
    assert.equal("completed", result.status)
    local waits = waits_of(told)
    assert.is_true(#waits >= 29 and #waits <= 31, #waits)
    assert.same({ "first", "2026-11-22T03:19:52Z", 0 },
      { waits[1].holder.owner, waits[1].since, waits[1].waited })
    assert.is_true(waits[#waits].moment - began < 31)
    -- The lock of who has it now says since when that is so, not since when that process waits.
    assert.is_true(core.parse_iso8601(held.since) - wall >= 28, held.since)
    assert.is_true(waits[#waits].waited >= 28)
  end)

  it("asks for nothing in the service before it has the run", function()
    local stage = stages.new()
    assert(stage.disk:open("run"):lease("run", { owner = "first" }))
    local _, err = stage:run(stage:move(), { standby = "10s" })
    assert.equal("Client.JournalLocked", err.code)
    assert.same({}, stage.bench:requests())
    assert.equal("", stage.disk:text "run")
  end)

  it("does not wait unless it is told to", function()
    local stage = stages.new()
    assert(stage.disk:open("run"):lease("run", { owner = "first" }))
    local began = stage.bench.client.loop.now()
    for _, standby in ipairs { false, 0 } do
      local _, err = stage:run(stage:move(), { standby = standby })
      assert.equal("Client.JournalLocked", err.code)
    end
    assert.equal(began, stage.bench.client.loop.now())
  end)

  it("goes on waiting while the store is out of reach, but not from the beginning", function()
    local stage = stages.new()
    local store = shared_disk.open(stage.disk, stage.bench.client)
    local asked, answers = 0, {}
    local failure = errors.new { kind = "journal", code = "Client.JournalFailed",
      message = "out of reach" }
    function store:lease(name, holder)
      asked = asked + 1
      local answer = answers[asked]
      if answer then return nil, answer end
      return self.below:lease(name, holder)
    end
    answers = { errors.new { kind = "journal", code = "Client.JournalLocked", message = "held" },
      failure, failure }
    local told = {}
    assert(stage:run(stage:move(), { standby = true, store = store,
      progress = function(event) told[#told + 1] = event end }))
    local waits = waits_of(told)
    assert.equal(3, #waits)
    assert.equal("out of reach", waits[2].err.message)
    asked, answers = 0, { failure }
    local _, err = stage:run(stage:move(), { standby = true, store = store })
    assert.equal("Client.JournalFailed", err.code)
  end)

  it("opens the store anew where it was lost meanwhile", function()
    local stage = stages.new()
    local opened, opener = 0, require "alicloud.dr.store"
    local open = opener.open
    finally(function() opener.open = open end)
    function opener.open()
      opened = opened + 1
      local store, is_first = shared_disk.open(stage.disk, stage.bench.client), opened == 1
      local asked = 0
      function store:lease(name, holder)
        if not is_first or name ~= "run" then return self.below:lease(name, holder) end
        asked = asked + 1
        if asked == 2 then return nil, self:lose() end
        return nil, errors.new { kind = "journal", code = "Client.JournalLocked",
          message = "held" }
      end
      return store
    end
    local told = {}
    local result = assert(dr.run(stage:move(), { client = stage.bench.client, journal = "etcd",
      standby = true, progress = function(event) told[#told + 1] = event end }))
    assert.equal("completed", result.status)
    assert.equal(2, opened)
    assert.equal("Client.JournalLost", waits_of(told)[2].err.code)
  end)

  -- A controller that stands by, whose first store is lost so many seconds after it began.
  local function run_and_lose(stage, after, then_do, options)
    local client, opener = stage.bench.client, require "alicloud.dr.store"
    local open, stores_opened = opener.open, {}
    finally(function() opener.open = open end)
    function opener.open()
      stores_opened[#stores_opened + 1] = shared_disk.open(stage.disk, client, { waits = 0.1,
        window = 4, takeover_wait = 34 })
      return stores_opened[#stores_opened]
    end
    client.loop.spawn_shared(function()
      client.loop.sleep(after)
      stores_opened[1]:lose()
      if then_do then then_do(open) end
    end)
    local given = { client = client, journal = "etcd", standby = true, requester = "first" }
    for name, value in pairs(options or {}) do given[name] = value end
    local result, err = dr.run(stage:move(), given)
    return result, err, #stores_opened
  end

  it("goes on with a run that it has lost to nobody", function()
    for _, after in ipairs { 0.25, 0.55, 1, 10, 40 } do
      local stage = stages.new()
      local result, err, opened = run_and_lose(stage, after)
      assert.is_nil(err)
      assert.equal("completed", result.status)
      assert.equal(2, opened)
      assert.equal(1, #stage.bench:ledger(), after)
    end
  end)

  it("goes on when a store that was out of reach is back", function()
    for _, code in ipairs { "Client.JournalLost", "Client.JournalFailed" } do
      local stage = stages.new()
      local loop, now = stage.bench.client.loop, stage.bench.client.loop.now
      local opener, told = require "alicloud.dr.store", {}
      local open, down_from, down_until = opener.open, now() + 10, now() + 100
      finally(function() opener.open = open end)
      local failure = errors.new { kind = "journal", code = "Client.JournalFailed",
        message = "out of reach" }
      function opener.open()
        local store = shared_disk.open(stage.disk, stage.bench.client, { waits = 0.1 })
        local append = store.append
        function store:append(...)
          if now() < down_from or now() > down_until then return append(self, ...) end
          local listeners = self.listeners
          if code == "Client.JournalFailed" then self.listeners = {} end
          self.loop.sleep(14)
          local lost = self:lose()
          self.listeners = listeners
          return nil, code == lost.code and lost or failure
        end
        function store:lease(...)
          if now() < down_from or now() > down_until then return self.below:lease(...) end
          loop.sleep(8)
          return nil, failure
        end
        return store
      end
      local result = assert(dr.run(stage:move(), { client = stage.bench.client,
        journal = "etcd", standby = true,
        progress = function(event) told[#told + 1] = event end }))
      assert.equal("completed", result.status)
      assert.equal(1, #stage.bench:ledger())
      assert.equal("out of reach", waits_of(told)[1].err.message)
    end
  end)

  it("does not wait for a store that it has never reached", function()
    local stage = stages.new()
    local opener = require "alicloud.dr.store"
    local open = opener.open
    finally(function() opener.open = open end)
    function opener.open()
      local store = shared_disk.open(stage.disk, stage.bench.client)
      function store:lease()
        self.loop.sleep(8)
        return nil, errors.new { kind = "journal", code = "Client.JournalFailed",
          message = "no such host" }
      end
      return store
    end
    local _, err = dr.run(stage:move(), { client = stage.bench.client, journal = "etcd",
      standby = true })
    assert.equal("no such host", err.message)
  end)

  it("goes on waiting where the store is gone again as soon as it has the run", function()
    local stage = stages.new()
    local client, opener, told = stage.bench.client, require "alicloud.dr.store", {}
    local open, now, down_until = opener.open, client.runtime.boottime, nil
    finally(function() opener.open = open end)
    local world = memory_keys.world { now = now }
    local function faults(call)
      if call.op == "list" and call.key:find "/rec/" then down_until = down_until or now() + 30 end
      return down_until and now() < down_until and "unreachable" or nil
    end
    function opener.open(name)
      return stores.open { run = "run", name = name, prefix = "/dr", loop = client.loop,
        runtime = client.runtime, keys = memory_keys.open(world, { name = "store",
          loop = client.loop, faults = faults }) }
    end
    local result = assert(dr.run(stage:move(), { client = client, journal = "store#run",
      account = "1234567890123456", standby = true,
      progress = function(event) told[#told + 1] = event end }))
    assert.equal("completed", result.status)
    assert.equal(1, #stage.bench:ledger())
    assert.matches("cannot be reached", waits_of(told)[1].err.message)
    down_until = nil
    local _, err = dr.run(stage:move(), { client = client, journal = "store#run",
      account = "1234567890123456" })
    assert.equal("Client.JournalFailed", err.code)
  end)

  it("waits for whoever has taken the run, and ends with it", function()
    local stage = stages.new()
    local result, err = run_and_lose(stage, 10, function()
      local second = shared_disk.open(stage.disk, stage.bench.client, { waits = 0.1 })
      -- The first has closed its store, and with it its lock, by then.
      stage.bench.client.loop.spawn_shared(function()
        stage.bench.client.loop.sleep(0.5)
        stage:run(stage:move(), { store = second, requester = "second" })
      end)
    end)
    assert.is_nil(err)
    assert.equal("completed", result.status)
    assert.equal(1, #stage.bench:ledger())
    assert.equal("second", stage:events("attempt")[2].owner)
    assert.equal(2, #stage:events "attempt")
  end)

  it("repeats no wish that the journal has already", function()
    local stage = stages.new()
    assert(run_and_lose(stage, 10, nil, { mode = "ungraceful",
      force = { { code = "Client.FirstSyncUnfinished", why = "because", by = "ops" } } }))
    assert.equal(1, #stage:events "force")
    assert.equal(2, #stage:events "attempt")
  end)

  it("ends where it loses the run and does not stand by", function()
    local stage = stages.new()
    local _, err, opened = run_and_lose(stage, 10, nil, { standby = false })
    assert.same({ "Client.JournalLost", 1 }, { err.code, opened })
  end)

  it("gives up when it can never have the run for long enough to begin", function()
    local stage = stages.new()
    local opener = require "alicloud.dr.store"
    local open = opener.open
    finally(function() opener.open = open end)
    function opener.open()
      local store = shared_disk.open(stage.disk, stage.bench.client)
      store:lose()
      return store
    end
    local began = stage.bench.client.loop.now()
    local _, err = dr.run(stage:move(), { client = stage.bench.client, journal = "etcd",
      standby = 30 })
    assert.equal("Client.JournalLost", err.code)
    assert.is_true(stage.bench.client.loop.now() - began < 40)
  end)

  it("finds a finished run, and does nothing more", function()
    local stage = stages.new()
    assert(stage:run(stage:move()))
    local sends = #stage.bench:requests()
    local result = assert(stage:run(stage:move(), { standby = true }))
    assert.equal("completed", result.status)
    assert.equal(sends, #stage.bench:requests())
  end)

  it("takes over from a controller that has stopped, once its session is over", function()
    local stage = stages.new()
    local client = stage.bench.client
    local world = memory_keys.world { now = client.runtime.boottime }
    local keys = {}
    local function open(name, faults)
      keys[name] = memory_keys.open(world, { name = name, loop = client.loop, faults = faults })
      return stores.open { keys = keys[name], run = "run", name = "store#run", prefix = "/dr",
        loop = client.loop, runtime = client.runtime }
    end
    local stopped_at
    local ok = pcall(stage.run, stage, stage:move(), { store = open("first", function()
      return stopped_at and "crash" or nil
    end), progress = function(event)
      if event.type ~= "answer" then return end
      stopped_at = client.runtime.boottime()
      error("the simulated machine stopped: interrupted!", 0)
    end })
    assert.is_false(ok)
    local told = {}
    local result = assert(stage:run(stage:move(), { store = open "second", standby = true,
      requester = "second", progress = function(event)
        told[#told + 1] = event
        event.moment = client.runtime.boottime()
      end }))
    assert.equal("completed", result.status)
    local waits = waits_of(told)
    assert.equal("operator", waits[1].holder.owner)
    assert.is_true(waits[#waits].moment - stopped_at <= 16)
    assert.equal(1, #stage.bench:ledger())
  end)
end)
