-- What our client really puts on the wire, as JSON on standard output: every request with what it
-- was made from, for a signer that is not ours. `lua5.4 spec/interop/record.lua`

local alicloud = require "alicloud"
local behaviour = require "spec.server.behaviour"
local core = require "alicloud.core"
local exchange = require "spec.server.exchange"
local parameters = require "spec.interop.parameters"
local reply = require "spec.server.reply"
local server_module = require "spec.server"
local transports = require "alicloud.transport"

local ALGORITHMS = { "ACS3-HMAC-SHA256", "ACS3-HMAC-SM3", "HMAC-SHA1" }
local METHODS = { "POST", "GET" }
-- Base64 as real session tokens are, with the characters that a query must escape.
local SESSION_TOKEN = "CAIS+8zB1q//Gf3zJ0a+RgB2nOk5lHV7wA=="
local KEYS = { access_key_id = "LTAI4recorded", access_key_secret = "S3cret/+=ünïcode" }
local ANSWER = behaviour.answer(reply.http())

local server = server_module.new(ANSWER)
local recorded = core.array {}

-- Lets the server work whenever the client waits; nothing sleeps.
local loop = { now = core.monotonic, sleep = function() end }
function loop.wait(pollable)
  server:step()
  core.poll(pollable:pollfd(), pollable:events(), 0.001)
end

local function parse(bytes)
  local head, body = bytes:match("^(.-\r\n)\r\n(.*)$")
  local method, target = head:match("^(%S+) (%S+) HTTP/1%.1\r\n")
  local headers = {}
  for name, value in head:gmatch("\n([^\r\n:]+):[ \t]*([^\r\n]*)") do
    assert(not headers[name:lower()], name .. " was sent twice")
    headers[name:lower()] = value
  end
  return { method = method, target = target, headers = headers, body = body }
end

-- Keeps what arrived since the last call.
local function keep(name, made_from)
  for number, bytes in ipairs(server:requests()) do
    local request = parse(bytes)
    for key, value in pairs(made_from) do request[key] = value end
    request.name = number == 1 and name or ("%s, attempt %d"):format(name, number)
    request.access_key_id = KEYS.access_key_id
    request.access_key_secret = KEYS.access_key_secret
    recorded[#recorded + 1] = request
  end
end

local function client_for(algorithm, token)
  return alicloud.client {
    region = "cn-shanghai", endpoint = server.url, algorithm = algorithm, loop = loop,
    access_key_id = KEYS.access_key_id, access_key_secret = KEYS.access_key_secret,
    security_token = token,
  }
end

local function call(name, params, settings)
  server:play(settings.behaviour or ANSWER)
  local client <close> = client_for(settings.algorithm, settings.token)
  assert(client:call(settings.action or "spec:DescribeAnything", params, {
    method = settings.method, version = not settings.action and "2026-01-02" or nil,
  }))
  keep(("%s %s, %s"):format(settings.algorithm, settings.method, name), {
    algorithm = settings.algorithm, params = params, security_token = settings.token,
  })
end

-- Refuses the first attempts on every connection.
local function busy_then_fine(times)
  local attempts = 0
  return function(connection)
    while connection:read_request() do
      attempts = attempts + 1
      connection:send(attempts > times and reply.http()
        or reply.error("503 Service Unavailable", "ServiceUnavailable"))
    end
    connection:finish("peer")
  end
end

local function everything_the_client_sends()
  for _, algorithm in ipairs(ALGORITHMS) do
    for _, method in ipairs(METHODS) do
      for _, name in ipairs(parameters.names()) do
        call(name, parameters.named[name], { algorithm = algorithm, method = method })
      end
      call("a session token", { A = "a b" },
        { algorithm = algorithm, method = method, token = SESSION_TOKEN })
      call("retried", { A = "a+b" },
        { algorithm = algorithm, method = method, behaviour = busy_then_fine(2) })
      call("a failover", { ReplicaGroupId = "pg-orders" },
        { algorithm = algorithm, method = method, action = "ebs:FailoverDiskReplicaGroup" })
    end
  end
  for seed = 1, 60 do
    call("seed " .. seed, parameters.made(seed), {
      algorithm = ALGORITHMS[seed % #ALGORITHMS + 1], method = METHODS[seed // 3 % #METHODS + 1],
      token = seed % 5 == 0 and SESSION_TOKEN or nil,
    })
  end
end

-- The signer's own seam: forms, bodies and headers that the client has no use for.
local function submit(name, changes)
  local request = {
    algorithm = "ACS3-HMAC-SHA256", method = "POST", scheme = "http",
    host = server.url:match("^http://(.+)$"), path = "/", action = "DescribeAnything",
    version = "2026-01-02", date = "2026-11-22T03:19:52Z", nonce = core.random_hex(16),
    access_key_id = KEYS.access_key_id, access_key_secret = KEYS.access_key_secret,
  }
  for key, value in pairs(changes) do request[key] = value end
  local signed = core.sign(request)
  server:play(ANSWER)
  local transport <close> = transports.new {}
  exchange.call(server, transport, {
    method = signed.method, url = signed.url, headers = signed.headers, body = signed.body,
    timeout = 30,
  })
  keep(("%s %s, %s"):format(request.algorithm, request.method, name), {
    algorithm = request.algorithm, security_token = changes.security_token,
  })
end

local FORM = { A = "a b+c", B = "Größe 🚀", C = "!'()*~", Empty = "" }

local function everything_the_signer_offers()
  submit("form", { algorithm = "HMAC-SHA1", form = FORM })
  submit("form and query", { algorithm = "HMAC-SHA1", form = FORM, query = { Q = "q r" } })
  submit("form and session token",
    { algorithm = "HMAC-SHA1", form = FORM, security_token = SESSION_TOKEN })
  for _, algorithm in ipairs { "ACS3-HMAC-SHA256", "ACS3-HMAC-SM3" } do
    submit("form body", { algorithm = algorithm, body = "A=a%20b&B=%C3%BC",
      headers = { ["content-type"] = "application/x-www-form-urlencoded" } })
    submit("JSON body", { algorithm = algorithm, body = '{"A":"ü 🚀"}',
      headers = { ["content-type"] = "application/json; charset=utf-8" } })
    submit("headers of the caller", { algorithm = algorithm, query = FORM, headers = {
      ["x-acs-retry-attempts"] = "1", ["x-acs-credentials-provider"] = "static_sts",
      ["x-acs-spaced"] = "two  spaces inside", accept = "application/json",
    } })
  end
end

everything_the_client_sends()
everything_the_signer_offers()
server:close()
io.write(core.encode(recorded), "\n")
