-- What a command line says of a store that cannot be used as it was typed, and how it goes on.

local controllers = require "spec.cli.controller"
local core = require "alicloud.core"
local run_stores = require "alicloud.cli.run_store"

local check, words_of = controllers.check, controllers.words_of

describe("what is typed in the place of a journal", function()
  check("is refused as an address that is none, before anything is asked", function()
    local desk = controllers.new(false)
    for _, words in ipairs { { "resume" }, { "verify" }, { "report" }, { "explain" },
      { "approve" }, { "unfence" }, { "ungraceful", "--why", "x" },
      { "run", "failover", "--journal" } } do
      for typed, pattern in pairs { ["etcd+htps://h#r"] = "did you mean",
        ["etcd+https://u:geheim@h#r"] = "ALICLOUD_DR_STORE_USER",
        ["etcd+https://h/dr"] = "it names no run" } do
        local line = table.move(words, 1, #words, 1, {})
        line[#line + 1] = typed
        local ran = desk:run(table.unpack(line))
        assert.equal(2, ran.code, ran.err)
        assert.matches(pattern, ran.err)
        assert.is_nil(ran.err:find("geheim", 1, true))
      end
    end
    for _, words in ipairs { { "runs" }, { "run", "failover", "--store" } } do
      words[#words + 1] = "etcd+https://h#r"
      local ran = desk:run(table.unpack(words))
      assert.equal(2, ran.code, ran.err)
      assert.matches("it names a run", ran.err)
    end
  end)

  check("is nothing to hand over, nor where a file is moved to", function()
    local desk, _, address = controllers.new(false)
    local ran = desk:run("handover", address .. "#orders")
    assert.equal(2, ran.code)
    assert.matches("at hand wherever the store is reached.*alicloud%-dr resume 'etcd", ran.err)
    ran = desk:run("handover", "orders.jsonl", "--to", address)
    assert.equal(2, ran.code)
    assert.matches("alicloud%-dr run PLAYBOOK %-%-store ADDRESS", ran.err)
  end)
end)

describe("a run in a store that does not answer", function()
  check("is told of as far as this machine knows, with commands that are no copy's", function(own)
    local desk, file, address = controllers.new(controllers.STOPS, nil, "etcd+" .. own.address)
    desk:run("run", file, "--region", "cn-shanghai", "--yes")
    local name = desk:run("runs").out:match "'(etcd%S+)'"
    own:kill(1)
    local ran = desk:run("explain", name)
    assert.equal(1, ran.code)
    local copy = ran.err:match "this machine knew last:%s+alicloud%-dr explain (%S+%.mirror)"
    ran = desk:run("explain", copy)
    assert.equal(0, ran.code, ran.err)
    local text = ran.out:gsub("%s+", " ")
    assert.matches("If the store is lost for good: alicloud%-dr manual controllers", text)
    assert.is_nil(ran.out:find("unfence " .. copy, 1, true))
    assert.matches("ADDRESS#", run_stores.origin(copy, function() end))
    assert.equal(name, run_stores.origin(copy, function(variable)
      return variable == "ALICLOUD_DR_STORE" and address or desk.env[variable]
    end))
  end, {})
end)

describe("a run in a store that is another one now", function()
  check("is refused where it knows less than this machine has kept", function(own)
    local desk, file = controllers.new(controllers.STOPS, nil, "etcd+" .. own.address)
    local words = { "run", file, "--region", "cn-shanghai", "--yes" }
    desk:run(table.unpack(words))
    local snapshot = own:snapshot()
    desk:run(table.unpack(words))
    own:restore(snapshot)
    local ran = desk:run(table.unpack(words))
    assert.equal(1, ran.code)
    assert.matches("Client.JournalRolledBack", ran.err)
    local mirror = ran.err:match "alicloud%-dr explain (%S+%.mirror);"
    assert.equal(0, desk:run("explain", mirror).code)
    -- As the hint says, for whoever has looked.
    assert(os.execute(ran.err:match "(mv %S+%.mirror%s+%S+%.old)"))
    assert.equal(1, desk:run(table.unpack(words)).code)
    assert.matches("Client.StepFailed", desk:run("runs").out)
  end, {})

  check("is refused where its cluster is another one, and followed by a new one", function(own)
    local desk, file, address = controllers.new(controllers.STOPS)
    local words = { "run", file, "--region", "cn-shanghai", "--yes" }
    desk:run(table.unpack(words))
    local prefix = address:match "/dr%-%d+$"
    local kept = controllers.cluster():ctl("get", "--prefix", prefix, "-w", "json")
    for _, kv in ipairs(core.decode(kept).kvs) do
      own:ask(1, "/v3/kv/put", { key = kv.key, value = kv.value })
    end
    desk.env.ALICLOUD_DR_STORE = "etcd+" .. own.address .. prefix
    local ran = desk:run(table.unpack(words))
    assert.equal(1, ran.code)
    assert.matches("Client.OtherCluster: .*begin a new run %(%-%-new%)", (ran.err:gsub("%s+", " ")))
    words[#words + 1] = "--new"
    ran = desk:run(table.unpack(words))
    assert.matches("#orders%-%x+%-2\n", ran.out)
    assert.matches("Client.StepFailed", ran.err)
  end, {})

end)

-- What a run says that meets a store, one line and the command that goes on.
local function met(address, env)
  local desk, file = controllers.new(nil, nil, address)
  for name, value in pairs(env or {}) do desk.env["ALICLOUD_DR_STORE_" .. name] = value end
  local ran = desk:run("run", file, "--region", "cn-shanghai", "--yes")
  if ran.code == 0 then return ran, desk end
  assert.equal(1, ran.code, ran.err)
  assert.same({}, desk:ledger())
  assert.matches("alicloud%-dr: Client.JournalFailed: etcd%+", ran.err)
  assert.is_nil(ran.err:find("geheim", 1, true))
  return ran, desk
end

describe("a store that refuses", function()
  check("says who may come in, and by which variables", function(own)
    local address, certs = "etcd+" .. own.address, own.certificates
    local function env(changes)
      local all = { CA_FILE = certs.ca, CERT_FILE = certs.client, USER = own.user,
        PASSWORD = own.password }
      for name, value in pairs(changes) do all[name] = value or nil end
      return all
    end
    assert.equal(0, met(address, env {}).code)
    local cases = {
      { { USER = false, PASSWORD = false }, "permission denied", "say who you are: "
        .. "ALICLOUD_DR_STORE_USER" },
      { { PASSWORD = "geheim" }, "authentication failed", "are not those of the store: "
        .. "ALICLOUD_DR_STORE_USER" },
      { { CERT_FILE = certs.named }, "CommonName of client", "make one without a CN, and give user "
        .. "and password" },
      -- "bad certificate" or "certificate required", as the version of Go has it.
      { { CERT_FILE = false }, "SSL routines", "ALICLOUD_DR_STORE_CERT_FILE" },
      { { CA_FILE = false }, "unable to get local issuer", "ALICLOUD_DR_STORE_CA_FILE" },
    }
    for _, case in ipairs(cases) do
      local ran = met(address, env(case[1]))
      assert.is_truthy(ran.err:find(case[2], 1, true), ran.err)
      assert.is_truthy(ran.err:find(case[3], 1, true), ran.err)
    end
    local ran = met(address .. "/other", env {})
    assert.matches("grant%-permission ROLE readwrite %-%-prefix=true /other/\n", ran.err)
  end, { auth = true, tls = "client" })

  check("says what is to be switched on, and where it is looked for", function(own)
    local ran = met("etcd+" .. own.address)
    assert.matches("leave %-%-enable%-grpc%-gateway on\n", ran.err)
    ran = met("etcd+http://127.0.0.1:1,127.0.0.1:2")
    assert.matches("no answer from http://127.0.0.1:1: .*; no answer from http://127.0.0.1:2: ",
      ran.err)
    assert.matches("speaks http and .*etcdctl %-%-endpoints http://127.0.0.1:1,http://127.0.0.1:2",
      ran.err)
  end, { flags = { "--enable-grpc-gateway=false" } })

  check("because it is full says how it gets room, and the run is begun by the same words",
    function(own)
      local big = core.base64(("x"):rep(300000))
      local n, answer = 0, nil
      while not answer or answer.status == 200 do
        n = n + 1
        answer = own:ask(1, "/v3/kv/put", { key = core.base64("k" .. n), value = big })
      end
      local ran, desk = met("etcd+" .. own.address)
      assert.matches("space exceeded.*defragment the members, then etcdctl alarm disarm", ran.err)
      local command = ran.err:match "go on:  ([^\n]*)\n$"
      assert.matches("^alicloud%-dr run %S+/orders.lua %-%-region cn%-shanghai %-%-yes$", command)
      assert.equal(0, desk:run("runs").code)
      own:ctl("del", "--prefix", "k")
      local revision = own:ctl("get", "x", "-w", "json"):match '"revision":(%d+)'
      own:ctl("compact", revision)
      own:ctl "defrag"
      own:ctl("alarm", "disarm")
      assert.equal(0, desk:run(words_of(command)).code)
      assert.equal(1, #desk:ledger())
    end, { quota = 2 * 1024 * 1024 })
end)
