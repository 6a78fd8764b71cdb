-- What the manual says of shared stores is done as it stands there, against a real etcd: the users
-- and their rights, and the way out of a full store.

local clusters = require "spec.etcd.cluster"
local core = require "alicloud.core"
local desks = require "spec.cli.desk"
local places = require "alicloud.dr.store.place"
local scratch = require "spec.scratch"

local text = scratch.read "lua/alicloud/manual/controllers.md"

-- The words behind etcdctl of each line of a block in which a line begins like this.
local function commands(beginning)
  local list = {}
  for block in text:gmatch "\n```text\n(.-)\n```" do
    if ("\n" .. block):find("\n" .. beginning, 1, true) then
      for line in block:gmatch "etcdctl ([^\n#]*)" do
        local words = {}
        for word in line:gmatch "%S+" do words[#words + 1] = word end
        list[#list + 1] = words
      end
    end
  end
  assert.is_true(#list > 0, beginning)
  return list
end

local function check(name, options, body)
  it(name, function()
    local missing = clusters.missing(options)
    if missing then return pending(missing) end
    local cluster <close> = clusters.start(options)
    body(cluster)
  end)
end

local function run_at(cluster, env)
  local desk, file, directory = desks.room()
  for name, value in pairs(env) do desk.env[name] = value end
  desk.env.ALICLOUD_DR_STORE, desk.env.XDG_STATE_HOME = "etcd+" .. cluster.address, directory
  return desk:run("run", file, "--region", "cn-shanghai", "--yes"), desk
end

describe("the manual on controllers", function()
  check("makes a user whose rights are enough", {}, function(cluster)
    for _, words in ipairs(commands "etcdctl user add root") do
      -- A person types the password.
      if words[2] == "add" and words[1] == "user" then words[3] = words[3] .. ":geheim" end
      cluster:ctl(table.unpack(words))
    end
    local ran, desk = run_at(cluster, { ALICLOUD_DR_STORE_USER = "controller",
      ALICLOUD_DR_STORE_PASSWORD_FILE = scratch.file("geheim\n", nil, "600") })
    assert.equal(0, ran.code, ran.err)
    assert.equal(1, #desk:ledger())
    assert.equal(1, run_at(cluster, {}).code)
  end)

  check("makes room in a store that is full", { quota = 2 * 1024 * 1024 }, function(cluster)
    local big = core.base64(("x"):rep(300000))
    local answer = { status = 200 }
    while answer.status == 200 do
      answer = cluster:ask(1, "/v3/kv/put", { key = core.base64 "same", value = big })
    end
    assert.equal(1, run_at(cluster, {}).code)
    for _, words in ipairs(commands "etcdctl endpoint status") do
      for i, word in ipairs(words) do
        if word == "REVISION" then words[i] = cluster.revision end
      end
      local told = cluster:ctl(table.unpack(words))
      cluster.revision = told:match '"revision":(%d+)' or cluster.revision
    end
    local ran = run_at(cluster, {})
    assert.equal(0, ran.code, ran.err)
  end)

  it("names every variable of the environment, and no other", function()
    local named, known = {}, { [places.VARIABLE] = true }
    for name in text:gmatch "`(ALICLOUD_DR_STORE[%u_]*)`" do named[name] = true end
    for _, name in ipairs(places.ACCESS) do known[name] = true end
    assert.same(known, named)
  end)

  it("shows addresses that are read", function()
    local count = 0
    for address in text:gmatch "\n(etcd%+%S+)" do
      assert(places.parse(address))
      count = count + 1
    end
    assert.equal(2, count)
  end)
end)
