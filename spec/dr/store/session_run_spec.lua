-- Runs whose locks have to be renewed: at a gate, and while a program of a step runs.

local alicloud = require "alicloud"
local approvals = require "alicloud.dr.playbook.approval"
local core = require "alicloud.core"
local dr = require "alicloud.dr"
local journals = require "alicloud.dr.journal"
local labs = require "spec.dr.lab"
local memory_keys = require "alicloud.dr.store.memory_keys"
local scratch = require "spec.scratch"
local states = require "alicloud.dr.playbook.state"
local stores = require "alicloud.dr.store.shared"
local tables = require "alicloud.base.tables"

local SEED = ("11"):rep(32)

-- A laboratory, and a store that its processes share.
local function new_stage()
  local lab = labs.new()
  local runtime = tables.merged(lab.emu.runtime, { boottime = lab.emu.runtime.monotonic })
  local stage = { lab = lab, runtime = runtime, loop = lab.client.loop,
    world = memory_keys.world { now = runtime.boottime } }
  function stage.open()
    return stores.open { keys = memory_keys.open(stage.world, { name = "store" }), run = "run",
      name = "store#run", prefix = "/dr", loop = stage.loop, runtime = runtime }
  end
  return stage
end

local function events_of(stage, kind)
  local list = {}
  for _, event in ipairs(assert(journals.read(assert(stage.open():load()))).events) do
    if not kind or event.type == kind then list[#list + 1] = event end
  end
  return list
end

local function run(stage, body, options)
  local playbook = dr.playbook("spec", body)
  return dr.run(playbook, tables.merged({ client = stage.lab.client, store = stage.open(),
    requester = "operator" }, options or {}))
end

local function gated(own)
  own:gate("promote", { need = 1, of = { "dba" }, expires = "2h" })
  local group = own:group("pg-orders", { region = "cn-shanghai" })
  own:step("move", function() return group:failover() end)
end

local function approve(stage)
  local decision = states.fold(events_of(stage)).gates.promote.asked
  assert(stage.open():post(core.encode(approvals.sign(decision, "dba",
    math.floor(stage.lab.emu:now()), SEED))))
end

describe("a run in a shared store", function()
  it("keeps its lock at a gate, however long people think", function()
    local stage = new_stage()
    local err
    local result = assert(run(stage, gated, {
      approvers = { dba = core.ed25519_public(SEED) },
      progress = function(event)
        if event.type ~= "gate_open" then return end
        stage.loop.spawn_shared(function()
          stage.loop.sleep(3600)
          local other = stage.open()
          err = select(2, other:lease("run", { owner = "b", host = "b", pid = 1, since = "now" }))
          other:close()
          approve(stage)
        end)
      end,
    }))
    assert.equal("completed", result.status)
    assert.equal("Client.JournalLocked", err.code)
    assert.equal("operator", err.holder.owner)
    assert.equal(1, #stage.lab:ledger())
    assert.same({}, stage.world:dump "/dr/v1/runs/run/lock")
  end)

  it("is renewed while a program of a step runs", function()
    local fifo, renewals, began = scratch.path(), 0, nil
    assert(os.execute(("mkfifo '%s'"):format(fifo)))
    local lab = labs.new()
    local client = alicloud.client { region = labs.SECONDARY, transport = lab.emu.transport,
      access_key_id = lab.emu.access_key_id, access_key_secret = lab.emu.access_key_secret }
    -- The store's time goes as the session sleeps; the program's is that of the machine.
    local clock = 1000
    local loop = setmetatable({ sleep = function(seconds)
      client.loop.sleep(0.002)
      clock = clock + seconds
    end }, { __index = client.loop })
    local world = memory_keys.world { now = function() return clock end }
    -- The program waits for a word, which it gets when its run has outlived a session twice.
    local keys = memory_keys.open(world, { name = "store", faults = function(call)
      if call.op ~= "renew" or not began then return end
      renewals = renewals + 1
      if renewals == 10 then assert(io.open(fifo, "w")):write("go on\n"):close() end
    end })
    local store = stores.open { keys = keys, run = "run", name = "store#run", prefix = "/dr",
      loop = loop, runtime = tables.merged(client.runtime, {
        boottime = function() return clock end }) }
    local result, err = dr.run(dr.playbook("spec", function(own)
      own:step("program", function(step)
        began = clock
        return step:program("read word < '" .. fifo .. "' && echo \"$word\"", {}, { keep = true })
      end)
    end), { client = client, store = store, requester = "operator" })
    assert(result, err)
    assert.is_true(clock - began > 30)
    assert.same({}, world.sessions)
  end)
end)
