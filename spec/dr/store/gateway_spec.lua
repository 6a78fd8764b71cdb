-- Keys over etcd's gateway, without etcd: the answers were recorded from both versions.

local core = require "alicloud.core"
local etcd = require "alicloud.dr.store.etcd"
local scratch = require "spec.scratch"
local virtual = require "spec.loop.virtual"

local MEMBERS = { "http://127.0.0.1:1", "http://127.0.0.1:2" }
local RECORDED = {}
for _, version in ipairs { "3.4", "3.5" } do
  local path = ("spec/vectors/etcd-%s.json"):format(version)
  RECORDED[version] = assert(core.decode(scratch.read(path)))
end

local LOST = { failure = "closed", sent = true, detail = "Empty reply from server" }
local REFUSED = { failure = "connect", sent = false, detail = "Connection refused" }

-- Keys whose members answer what `answer` returns, and the requests that they have sent.
local function keys_of(answer, options)
  local settings = { name = "the store", members = MEMBERS, loop = virtual.new() }
  for name, value in pairs(options or {}) do settings[name] = value end
  local keys, requests = etcd.open(settings), {}
  keys.gateway.adapter = {
    send = function(request)
      requests[#requests + 1] = { path = request.url:match "/v3/(.*)$", url = request.url,
        token = request.headers.authorization, timeout = request.timeout,
        mutating = request.mutating, body = core.decode(request.body) }
      return answer(#requests, requests[#requests])
    end,
    close = function() end,
  }
  return keys, requests
end

local function in_turn(...)
  local answers = { ... }
  return function(n) return answers[math.min(n, #answers)] end
end

for version, answers in pairs(RECORDED) do
  local function recorded(...)
    local list = { ... }
    for i, name in ipairs(list) do list[i] = assert(answers[name], name) end
    return keys_of(in_turn(table.unpack(list)))
  end

  describe("what etcd " .. version .. " answers", function()
    it("leaves out zero and false, and is read all the same", function()
      assert.is_false((recorded "range, none":get "/a"))
      local entry = assert(recorded "range, empty value":get "/b")
      assert.same({ "/b", "", "3" }, { entry.key, entry.value, entry.version })
      assert.is_nil(entry.session)
      assert.matches("^%d+$", recorded "range, with a lease":get "/lock".session)
      assert.is_false((recorded "keepalive, gone":renew "1"))
      assert.equal(60, (recorded "keepalive":renew "1"))
      assert.is_false((recorded "timetolive, gone":left "1"))
      assert.equal(59, (recorded "timetolive":left "1"))
      local last = answers.timetolive.body:gsub('"TTL":"59",%s*', "")
      assert.equal(0, (keys_of(in_turn { status = 200, headers = {}, body = last }):left "1"))
      assert.is_true((recorded "revoke, gone":revoke "1"))
    end)

    it("tells whether there are more keys", function()
      local list, more = recorded "range, more":list("/", nil, 1)
      assert.same({ 1, true }, { #list, more })
      list, more = recorded "range, all":list "/"
      assert.same({ 2, false }, { #list, more })
    end)

    it("tells a transaction that was done from one that was refused", function()
      local txn = { when = { { key = "/a", absent = true } }, put = { { key = "/a", value = "1" } },
        read = { "/a" } }
      local ok, done = recorded "txn, done":txn(txn)
      assert.same({ true, "2" }, { ok, done.revision })
      local found
      ok, found = recorded "txn, refused":txn(txn)
      assert.is_false(ok)
      assert.same({ "one", "2" }, { found["/a"].value, found["/a"].created })
      ok, found = recorded "txn, refused without a read":txn(txn)
      assert.same({ false, {} }, { ok, found })
    end)

    it("says whether writes are taken", function()
      assert.is_true((recorded "alarms, none":probe()))
      local ok, err = recorded "NOSPACE, alarms":probe()
      assert.is_nil(ok)
      assert.matches("alarm disarm", err.hint)
    end)

    it("names the cluster as a text, however large it is", function()
      assert.matches("^%d+$", assert(recorded "timetolive, gone":cluster()))
    end)
  end)

  -- Name, what is known of the effect, words of the hint, code, requests that were sent.
  local FAULTS = {
    { "129 operations", "rejected" },
    { "a key twice in a txn", "rejected" },
    { "a large value", "rejected", "%-%-max%-request%-bytes" },
    { "a larger value", "rejected", "%-%-max%-request%-bytes" },
    { "NOSPACE, put", "rejected", "alarm disarm" },
    { "NOSPACE, txn", "rejected", "alarm disarm" },
    { "NOSPACE, grant", "rejected", "alarm disarm" },
    { "a certificate with a CN", "rejected", "without a CN" },
    { "no token, range", "rejected", "ALICLOUD_DR_STORE_USER" },
    { "a wrong token", "rejected", "ALICLOUD_DR_STORE_USER" },
    { "a wrong token, grant", "rejected", "ALICLOUD_DR_STORE_USER" },
    { "token, not ours", "rejected", "grant%-permission" },
    { "token, txn not ours", "rejected", "grant%-permission" },
    { "authenticate, wrong", "rejected", "ALICLOUD_DR_STORE_PASSWORD" },
    { "authenticate without users", "rejected", "unset ALICLOUD_DR_STORE_USER" },
    { "grant, exists", "rejected" },
    { "txn with a lease that is gone", "rejected", "session", "Client.JournalLost" },
    { "unknown path", "rejected", "%-%-enable%-grpc%-gateway" },
    { "GET", "rejected", "%-%-enable%-grpc%-gateway" },
    { "no quorum at first, put", "unknown", "more than half", nil, 2 },
    { "no quorum later, put", "unknown", "more than half", nil, 2 },
    { "no quorum at first, range", "unknown", "more than half", nil, 2 },
    { "no quorum at first, keepalive", "unknown", "more than half", nil, 2 },
  }

  describe("what etcd " .. version .. " refuses:", function()
    for _, expected in ipairs(FAULTS) do
      local name, outcome, hint, code, count = table.unpack(expected, 1, 5)
      it(name, function()
        local keys, requests = recorded(name)
        local ok, err = keys:txn { when = {}, put = { { key = "/a", value = "1" } } }
        assert.is_nil(ok)
        assert.same({ outcome, code or "Client.JournalFailed", "journal" },
          { err.outcome, err.code, err.kind })
        assert.equal(outcome == "unknown", err.retryable)
        assert.equal(count or 1, #requests)
        if hint then assert.matches(hint, err.hint) end
        -- It is said in words, not in JSON or what follows that by mistake.
        assert.is_nil(err.message:find('[{}"]'), err.message)
        assert.is_nil(err.message:find("Grpc-Trailer", 1, true), err.message)
        assert.matches("HTTP " .. answers[name].status, err.message)
      end)
    end
  end)

  describe("what etcd " .. version .. " answers, and is cut on its way,", function()
    -- A head that was cut comes without a failure.
    local function each_cut(name, check)
      local body = answers[name].body
      for length = 0, #body:gsub("%s+$", "") - 1 do
        local cut = body:sub(1, length)
        check(keys_of(in_turn { status = 200, headers = {}, body = cut }))
        check(keys_of(in_turn { status = 200, headers = {}, body = cut, failure = "closed",
          sent = true, detail = "transfer closed" }))
      end
    end

    it("is no success and no refusal", function()
      for _, name in ipairs { "txn, done", "txn, refused" } do
        each_cut(name, function(keys)
          local made, err = keys:create("/a", "1")
          assert.is_nil(made)
          assert.equal("unknown", err.outcome)
        end)
      end
    end)

    it("is no session that has ended", function()
      each_cut("keepalive, gone", function(keys) assert.is_nil((keys:renew "1")) end)
      each_cut("timetolive, gone", function(keys) assert.is_nil((keys:left "1")) end)
    end)

    it("is no absent key, and no list without more", function()
      each_cut("range, none", function(keys) assert.is_nil((keys:get "/a")) end)
      each_cut("range, more", function(keys) assert.is_nil((keys:list "/")) end)
    end)
  end)
end

describe("an answer that is larger than an answer may be", function()
  local TOO_LARGE = { failure = "too_large", sent = true, detail = "Failure writing output" }
  local all = RECORDED["3.5"]["range, all"]

  -- A store that can answer with so many keys at once.
  local function keys_that_fit(count)
    return keys_of(function(_, request)
      return tonumber(request.body.limit) > count and TOO_LARGE or all
    end)
  end

  it("is asked for in smaller ones, from then on", function()
    local keys, requests = keys_that_fit(130)
    assert.equal(2, #assert(keys:list("/", nil, 500)))
    assert.same({ "500", "250", "125" }, { requests[1].body.limit, requests[2].body.limit,
      requests[3].body.limit })
    assert.equal(2, #assert(keys:list("/", nil, 500)))
    assert.same({ 4, "125" }, { #requests, requests[4].body.limit })
    assert.equal(2, #assert(keys:list "/"))
    assert.same({ 5, "125" }, { #requests, requests[5].body.limit })
  end)

  it("does not go on without an end", function()
    local more = RECORDED["3.5"]["range, more"]
    local list, err = keys_of(in_turn(more)):list "/"
    assert.is_nil(list)
    assert.equal("Client.JournalFailed", err.code)
  end)

  it("is an error where a single key is", function()
    local keys, requests = keys_that_fit(0)
    local list, err = keys:list("/", nil, 3)
    assert.is_nil(list)
    assert.same({ "unknown", false, 2 }, { err.outcome, err.retryable, #requests })
  end)
end)

describe("what is no answer of etcd", function()
  local STRANGE = {
    { 200, "<html>Sign in to the network</html>" }, { 200, "{}" }, { 200, "[]" }, { 200, "null" },
    { 200, '{"status":"ok"}' }, { 200, '{"header":{}}' }, { 502, "Bad Gateway" },
    { 500, "" },
    { 502, "<html>permission denied</html>" }, { 503, '{"error":{"message":[]}}' },
    { 302, "" }, { 204, "" },
  }

  it("is unknown, whatever it says", function()
    for _, each in ipairs(STRANGE) do
      for method, arguments in pairs { get = { "/a" }, list = { "/" }, create = { "/a", "1" },
        swap = { "/a", "1", "2" }, drop = { "/a", "2" }, session = { 15 }, renew = { "1" },
        revoke = { "1" }, left = { "1" } } do
        local keys = keys_of(in_turn { status = each[1], headers = {}, body = each[2] })
        local ok, err = keys[method](keys, table.unpack(arguments))
        local seen = ("%s after %d %s"):format(method, each[1], each[2])
        assert.is_nil(ok, seen)
        assert.equal("unknown", err.outcome, seen)
      end
    end
  end)
end)

describe("a member that gives no answer", function()
  local done = RECORDED["3.5"]["txn, done"]

  it("is followed by the next one, which is asked first from then on", function()
    local keys, requests = keys_of(in_turn(LOST, done))
    assert(keys:create("/a", "1"))
    assert.same({ MEMBERS[1], MEMBERS[2] },
      { requests[1].url:match "^%w+://[^/]+", requests[2].url:match "^%w+://[^/]+" })
    assert(keys:create("/a", "1"))
    assert.equal(MEMBERS[2], (requests[3].url:match "^%w+://[^/]+"))
    assert.equal(2, requests[1].timeout)
    assert.is_false(requests[1].mutating)
  end)

  it("may have done what another one refuses", function()
    for _, refusal in ipairs { "NOSPACE, txn", "a key twice in a txn", "a wrong token" } do
      local keys = keys_of(in_turn(LOST, RECORDED["3.4"][refusal]))
      local ok, err = keys:create("/a", "1")
      assert.is_nil(ok)
      assert.equal("unknown", err.outcome)
    end
    local _, err = keys_of(in_turn(LOST, REFUSED)):create("/a", "1")
    assert.equal("unknown", err.outcome)
  end)

  it("may refuse what another one does, or the same one in a moment", function()
    for _, each in ipairs { { 429, 8, "too many requests" }, { 400, 9, "not leader" },
      { 400, 9, "rpc not supported for learner" } } do
      local refusal = { status = each[1], headers = {},
        body = core.encode { code = each[2], message = "etcdserver: " .. each[3] } }
      assert(keys_of(in_turn(refusal, done)):create("/a", "1"))
      local ok, err = keys_of(in_turn(refusal)):create("/a", "1")
      assert.is_nil(ok)
      assert.same({ "rejected", true }, { err.outcome, err.retryable })
    end
  end)

  it("has not got what could not be sent", function()
    local keys, requests = keys_of(in_turn(REFUSED))
    local _, err = keys:create("/a", "1")
    assert.same({ "not_sent", true, 2 }, { err.outcome, err.retryable, #requests })
  end)

  it("is asked twice if it is the only one", function()
    local keys, requests = keys_of(in_turn(LOST), { members = { MEMBERS[1] } })
    assert.is_nil((keys:get "/a"))
    assert.equal(2, #requests)
  end)
end)

describe("a user of the store", function()
  local USER = { user = "controller", password = "secret" }
  local recorded = RECORDED["3.4"]
  local expired, range = recorded["a wrong token"], recorded["token, range"]

  local function paths(requests)
    local list = {}
    for i, request in ipairs(requests) do list[i] = request.path end
    return table.concat(list, " ")
  end

  -- A store that takes no token older than the `good`th login.
  local function store(good)
    local logins = 0
    return function(_, request)
      if request.path == "auth/authenticate" then
        logins = logins + 1
        local body = recorded.authenticate.body:gsub('"token":"[^"]*"',
          ('"token":"t%d"'):format(logins))
        return { status = 200, headers = {}, body = body }
      end
      return request.token == "t" .. good and range or expired
    end
  end

  it("logs in before the first request, and with the token alone", function()
    local keys, requests = keys_of(store(1), USER)
    assert.is_false((keys:get "/a"))
    assert.is_false((keys:get "/a"))
    assert.equal("auth/authenticate kv/range kv/range", paths(requests))
    assert.same({ name = "controller", password = "secret" }, requests[1].body)
    assert.is_nil(requests[1].token)
    assert.equal("t1", requests[3].token)
  end)

  it("logs in again when the token has expired, once a request", function()
    local keys, requests = keys_of(store(2), USER)
    keys.gateway.token = "old"
    local ok, err = keys:get "/a"
    assert.is_nil(ok)
    assert.is_true(err.retryable)
    assert.equal("kv/range auth/authenticate kv/range kv/range", paths(requests))
    assert.same({ "t1", "t1" }, { requests[3].token, requests[4].token })
    assert.is_false((keys:get "/a"))
  end)

  it("asks another member where one does not know its new token yet", function()
    local served = store(1)
    local keys, requests = keys_of(function(n, request)
      return n == 3 and expired or served(n, request)
    end, USER)
    keys.gateway.token = "old"
    assert.is_false((keys:get "/a"))
    assert.equal("kv/range auth/authenticate kv/range kv/range", paths(requests))
    assert.are_not.equal(requests[3].url, requests[4].url)
  end)

  it("logs in once for all tasks that wait for it", function()
    local loop, served = virtual.new(), store(1)
    local keys, requests = keys_of(function(n, request)
      if request.path == "auth/authenticate" then loop.sleep(0.1) end
      return served(n, request)
    end, { user = USER.user, password = USER.password, loop = loop })
    loop.scope(function(scope)
      for _ = 1, 3 do scope:spawn(function() assert.is_false((keys:get "/a")) end) end
    end)
    assert.equal("auth/authenticate kv/range kv/range kv/range", paths(requests))
  end)

  it("is told what is wrong with user and password", function()
    local keys, requests = keys_of(in_turn(recorded["authenticate, wrong"]), USER)
    local ok, err = keys:get "/a"
    assert.is_nil(ok)
    assert.same({ "rejected", false, 1 }, { err.outcome, err.retryable, #requests })
    assert.is_nil((err.message .. err.hint):find("secret", 1, true))
  end)

  it("goes on at another member when one cannot log anybody in", function()
    local keys, requests = keys_of(function(n, request)
      if n == 1 then return recorded["no quorum later, put"] end
      return store(1)(n, request)
    end, USER)
    assert.is_false((keys:get "/a"))
    assert.equal("auth/authenticate auth/authenticate kv/range", paths(requests))
  end)
end)

describe("what etcd is asked", function()
  -- Which field goes with which target.
  local FIELD = { CREATE = "create_revision", MOD = "mod_revision" }

  local function check_compare(compare)
    assert.is_string(compare.key)
    assert.is_string(FIELD[compare.target])
    assert.is_true(compare.result == "EQUAL" or compare.result == "GREATER")
    assert.matches("^%d+$", compare[FIELD[compare.target]])
    local count = 0
    for _ in pairs(compare) do count = count + 1 end
    assert.equal(4, count)
  end

  it("says target and result of every comparison, and reads nothing that may be stale", function()
    local keys, requests = keys_of(in_turn(LOST))
    keys:create("/a", "1", "7")
    keys:swap("/a", "1", "2")
    keys:drop("/a", "2")
    keys:txn { when = { { key = "/a", absent = true }, { key = "/b", present = true },
      { key = "/c", created = "3" }, { key = "/d", version = "4" } } }
    local compares = 0
    for _, request in ipairs(requests) do
      for _, compare in ipairs(request.body.compare) do
        check_compare(compare)
        compares = compares + 1
      end
    end
    assert.equal(2 * 7, compares)
    keys:get "/a"
    keys:list("/", "/b", 5)
    for i = #requests - 3, #requests do
      assert.equal("kv/range", requests[i].path)
      assert.is_nil(requests[i].body.serializable)
    end
  end)

  it("is the same every time", function()
    local keys, requests = keys_of(in_turn(LOST))
    keys:create("/a", "1", "7")
    assert.same(requests[1].body, requests[2].body)
  end)
end)
