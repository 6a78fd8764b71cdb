-- The clusters that other specs use do what is said of them.
local child = require "spec.child"
local clusters = require "spec.etcd.cluster"
local core = require "alicloud.core"
local posix = require "spec.posix"
local scratch = require "spec.scratch"

local KEY = "/alicloud-dr/v1/x"

local function with(options, body)
  return function()
    local cluster <close> = clusters.start(options)
    body(cluster)
  end
end

-- The text of a key, read at one member.
local function read(cluster, i)
  local answer = cluster:ask(i, "/v3/kv/range", { key = core.base64(KEY) })
  assert.equal(200, answer.status, answer.body)
  local found = assert(core.decode(answer.body)).kvs
  return found and found[1].value
end

local it_in_etcd = clusters.missing() and pending or it
local it_over_tls = clusters.missing { tls = true } and pending or it

describe("a cluster of etcd", function()
  it_in_etcd("of one member answers", with({}, function(cluster)
    cluster:ctl("put", KEY, "1")
    assert.equal(core.base64 "1", read(cluster, 1))
    assert.equal(1, cluster:leader())
  end))

  it_in_etcd("of three goes on without its leader, which comes back", with({ members = 3 },
    function(cluster)
      local leader = cluster:leader()
      cluster:kill(leader)
      assert.is_true(cluster:wait())
      assert.are_not.equal(leader, cluster:leader())
      cluster:ctl("put", KEY, "2")
      cluster:restart(leader)
      assert.equal(core.base64 "2", read(cluster, leader))
    end))

  it_in_etcd("has members that stand still until they are let go on", with({ members = 3 },
    function(cluster)
      local other = cluster:leader() % 3 + 1
      cluster:stop(other)
      cluster:ctl("put", KEY, "3")
      cluster:continue(other)
      assert.is_true(cluster:wait())
      assert.equal(core.base64 "3", read(cluster, other))
    end))

  it_in_etcd("takes an older snapshot back", with({}, function(cluster)
    cluster:ctl("put", KEY, "4")
    local path = cluster:snapshot()
    cluster:ctl("put", KEY, "5")
    cluster:restore(path)
    assert.equal(core.base64 "4", read(cluster, 1))
  end))

  it_in_etcd("knows users, of whom ours has its keys alone", with({ auth = true },
    function(cluster)
      local answer = cluster:ask(1, "/v3/auth/authenticate",
        { name = cluster.user, password = cluster.password })
      assert.truthy(answer.body:find('"token"', 1, true))
      assert.are_not.equal(200, cluster:ask(1, "/v3/kv/range", { key = core.base64(KEY) }).status)
      cluster:ctl("put", KEY, "6")
    end))

  it_over_tls("asks for certificates", with({ tls = "client" }, function(cluster)
    cluster:ctl("put", KEY, "7")
    assert.equal(core.base64 "7", read(cluster, 1))
    cluster.certificates.client = nil
    assert.equal(0, cluster:ask(1, "/version").status or 0)
  end))

  it_in_etcd("ends with the process that has started it", function()
    local script = scratch.file([[
      local cluster = require "spec.etcd.cluster".start()
      print(cluster.members[1].pid)
      io.stdout:flush()
      require "alicloud.core".poll(nil, "r", 60)]], ".lua")
    local pid, output = posix.spawn { "env", "TMPDIR=" .. scratch.directory(), "lua5.4", script }
    local member = math.tointeger(tonumber((assert(output:read "l"))))
    assert.is_true(child.is_alive(member))
    posix.kill(pid, "KILL")
    posix.wait(pid)
    output:close()
    -- Whoever takes orphans over may let them lie for a while.
    local limit = core.monotonic() + 30
    while child.is_alive(member) and core.monotonic() < limit do core.poll(nil, "r", 0.01) end
    assert.is_false(child.is_alive(member))
  end)
end)
