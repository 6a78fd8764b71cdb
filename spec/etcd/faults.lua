--- What goes wrong while controllers share a store: each fault begins, lasts, and is over again.

local core = require "alicloud.core"
local stages = require "spec.etcd.stage"

local M = {}

---@class spec.Fault
---@field seconds number how long it lasts
---@field begin fun(run: spec.NemesisRun): any what `over` is given; nil: there was nothing to do
---@field over? fun(run: spec.NemesisRun, what: any)

---@type table<string, spec.Fault>
M.MEMBERS, M.CONTROLLERS = {}, {}

local function member(run) return run.random(#run.stage.cluster.members) end

--- A member dies as in a power failure, and comes back.
M.MEMBERS.kill_member = { seconds = 3,
  begin = function(run)
    local i = member(run)
    run.stage.cluster:kill(i)
    return i
  end,
  over = function(run, i) run.stage.cluster:restart(i) end,
}

M.MEMBERS.stop_leader = { seconds = 3,
  begin = function(run)
    local i = run.stage.cluster:leader()
    if i then run.stage.cluster:stop(i) end
    return i
  end,
  over = function(run, i) run.stage.cluster:continue(i) end,
}

--- Nobody can write then.
M.MEMBERS.stop_followers = { seconds = 8,
  begin = function(run)
    local cluster, list = run.stage.cluster, {}
    local leader = cluster:leader()
    for i = 1, #cluster.members do
      if i ~= leader then
        cluster:stop(i)
        list[#list + 1] = i
      end
    end
    return list
  end,
  over = function(run, list)
    for _, i in ipairs(list) do run.stage.cluster:continue(i) end
  end,
}

-- Whoever repairs a store does not give up at the first try.
local function until_done(act, ...)
  local given, why = table.pack(...), nil
  local done = stages.wait(30, function()
    local ok, raised = pcall(act, table.unpack(given))
    why = raised
    return ok
  end)
  if not done then error(why, 0) end
end

local function compact(cluster)
  local answer = cluster:ask(1, "/v3/kv/range", { key = core.base64 "/" })
  local status = assert(core.decode(answer.body or ""))
  -- What another one has compacted already is refused. There is room once it is really gone.
  pcall(cluster.ctl, cluster, "compact", "--physical",
    assert(status.header, answer.body).revision)
  cluster:ctl "defrag"
end

--- What is old goes while runs are under way, and each member stands still meanwhile.
M.MEMBERS.compact = { seconds = 1,
  begin = function(run)
    until_done(compact, run.stage.cluster)
    return true
  end,
}

local function cut(from)
  return { seconds = 6,
    begin = function(run)
      local i = from == "peers" and run.stage.cluster:leader() or member(run)
      run.network:cut(i, from)
      return i
    end,
    over = function(run, i) run.network:heal(i) end,
  }
end

--- The leader loses its peers, and those who ask it do not.
M.MEMBERS.cut_leader, M.MEMBERS.cut_member = cut "peers", cut "all"

local PIECE = ("x"):rep(256 * 1024)

--- Writes until the store takes no more.
M.MEMBERS.no_space = { seconds = 5,
  begin = function(run)
    for _ = 1, 200 do
      local answer = run.stage.cluster:ask(1, "/v3/kv/put", { key = core.base64 "/fill",
        value = core.base64(PIECE) })
      if answer.status == 429 then return true end
    end
    error "the store has no quota"
  end,
  over = function(run)
    local cluster = run.stage.cluster
    until_done(compact, cluster)
    until_done(cluster.ctl, cluster, "alarm", "disarm")
  end,
}

--- The disk of the first member is full: it ends. What it had acknowledged is there afterwards.
M.MEMBERS.full_disk = { seconds = 6,
  begin = function(run)
    os.execute(("dd if=/dev/zero of='%s/fill' bs=64k >/dev/null 2>&1"):format(run.disk))
    return true
  end,
  over = function(run)
    assert(os.remove(run.disk .. "/fill"))
    local fell = run.stage.cluster.members[1]:ended()
    run.stage:tell { type = "full_disk", fell = fell }
    run.stage.cluster:kill(1)
    run.stage.cluster:restart(1)
  end,
}

--- An older state is put back, as operators do who have lost everything.
M.MEMBERS.restore = { seconds = 4,
  begin = function(run)
    if run.restored then return nil end
    run.restored = true
    return run.stage.cluster:snapshot()
  end,
  over = function(run, path)
    run.stage.cluster:restore(path)
    run.stage:tell { type = "restored" }
    run.stage:tell { type = "incomplete" }
  end,
}

local function victim(run)
  local list = {}
  for _, controller in ipairs(run.living) do
    if not controller:ended() then list[#list + 1] = controller end
  end
  return list[1] and list[run.random(#list)]
end

--- A controller dies; its machine begins another one.
M.CONTROLLERS.kill_controller = { seconds = 0.5,
  begin = function(run)
    local controller = victim(run)
    if not controller then return nil end
    run.stage:tell { type = "struck", who = controller.who, signal = "KILL" }
    controller:signal "KILL"
    stages.wait(5, function() return controller:ended() end)
    return controller
  end,
  over = function(run, controller) run:replace(controller) end,
}

--- One stands still for longer than its session lives.
M.CONTROLLERS.stop_controller = { seconds = 8,
  begin = function(run)
    local controller = victim(run)
    if controller then controller:signal "STOP" end
    return controller
  end,
  over = function(_, controller) controller:signal "CONT" end,
}

return M
