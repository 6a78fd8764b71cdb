-- Answers that etcd does not give, whoever gives them: nothing is concluded from them.

local etcd = require "alicloud.dr.store.etcd"
local virtual = require "spec.loop.virtual"

-- Keys whose only member gives that answer.
local function keys_of(body, options)
  local settings = { name = "the store", members = { "http://127.0.0.1:1" }, loop = virtual.new() }
  for name, value in pairs(options or {}) do settings[name] = value end
  local keys = etcd.open(settings)
  keys.gateway.adapter = {
    send = function() return { status = 200, headers = {}, body = body } end,
    close = function() end,
  }
  return keys
end

describe("an answer that etcd does not give", function()
  local HEAD = '"header":{"cluster_id":"1","revision":"5","raft_term":"2"}'
  local TXN = { when = { { key = "/a", absent = true } }, put = { { key = "/a", value = "1" } },
    read = { "/a" } }
  local KV = '"kvs":[{"key":"L2E=","create_revision":"3","mod_revision":"4"%s}]'

  local function refused(call, ...)
    for _, fields in ipairs { ... } do
      local body = "{" .. (fields:find '"header"' and "" or HEAD .. ",") .. fields .. "}"
      local keys = keys_of(body)
      local result, err = call(keys)
      assert.is_nil(result, body)
      assert.equal("Client.JournalFailed", err.code, body)
      assert.equal("unknown", err.outcome, body)
      assert.matches("what answers is not etcd", err.message, 1, true)
    end
  end

  it("shows no keys", function()
    local function get(keys) return keys:get "/a" end
    assert.equal("/a", keys_of("{" .. HEAD .. "," .. KV:format "" .. "}"):get "/a".key)
    refused(get, '"kvs":"x"', '"kvs":[1]', '"kvs":[null]', '"kvs":[{}]', '"kvs":[{"key":1}]',
      '"kvs":[{"key":"L2E=","create_revision":3,"mod_revision":"4"}]',
      KV:format ',"value":7', KV:format ',"lease":12', KV:format ',"lease":"1.5"')
    refused(function(keys) return keys:list "/" end, '"kvs":[1]', '"more":1')
    refused(get, '"header":{"cluster_id":"1"}', '"header":{"cluster_id":"1","revision":"1e5"}',
      '"header":{"cluster_id":"1","revision":9.5}', '"header":{"cluster_id":1,"revision":"5"}',
      '"header":{"cluster_id":"1","revision":"5","raft_term":{}}')
  end)

  it("neither does nor refuses a transaction", function()
    refused(function(keys) return keys:txn(TXN) end, '"succeeded":"true"', '"succeeded":1',
      '"responses":"x"', '"responses":[1]', '"responses":[{"response_range":1}]',
      '"responses":[{"response_range":{"kvs":[{}]}}]',
      '"header":{"cluster_id":"1"},"succeeded":true')
    refused(function(keys) return keys:swap("/a", "2", "4") end, '"succeeded":true',
      '"succeeded":true,"responses":[{}]', '"succeeded":true,"responses":[{"response_put":1}]')
  end)

  it("begins no session, whose locks would never end", function()
    refused(function(keys) return keys:session(15) end, '"TTL":"15"', '"ID":7,"TTL":"15"',
      '"ID":"7"', '"ID":"x","TTL":"15"', '"ID":"7","TTL":"1e300"')
    refused(function(keys) return keys:renew "7" end, '"TTL":15', '"TTL":{}')
    refused(function(keys) return keys:left "7" end, '"TTL":{}')
  end)

  it("says nothing of alarms, and logs nobody in", function()
    local function probe(keys) return keys:probe() end
    refused(probe, '"alarms":1', '"alarms":[1]')
    for _, token in ipairs { "1", "{}", '""', '"a\\r\\nb: c"' } do
      local keys = keys_of(("{%s,\"token\":%s}"):format(HEAD, token),
        { user = "u", password = "p" })
      assert.is_nil((keys:get "/a"))
    end
  end)
end)
