-- A thousand exchanges with a canary in some field, header or text, in some encoding: none of them
-- comes out, whatever the canary is: a secret, an id that was met, or nothing that anybody knows.

local canaries = require "spec.conformance.recording.canary"
local core = require "alicloud.core"
local fields = require "alicloud.conformance.recording.fields"
local har = require "alicloud.conformance.recording.har"
local reading = require "alicloud.conformance.recording.reading"
local recorder = require "alicloud.conformance.recording.recorder"
local scratch = require "spec.scratch"
local tables = require "alicloud.base.tables"

local COUNT = 1000

-- A generator of our own, so that a seed gives the same exchanges on every machine.
local function chance(seed)
  return function(most)
    seed = (seed * 1103515245 + 12345) % 2147483648
    return seed // 65536 % most + 1
  end
end

local function names_of_fields()
  local names = tables.keys(fields.KIND)
  for _, list in ipairs { fields.KEPT, fields.DROPPED } do
    for _, name in ipairs(tables.keys(list)) do names[#names + 1] = name end
  end
  for _, name in ipairs { "Unknown", "brandNew", "x-y_z", "Extra.1.Thing", "Status", "RegionId",
    "Message", "Code", "RequestId", "HostId", "Recommend", "AccessDeniedDetail" } do
    names[#names + 1] = name
  end
  return names
end

local HEADERS = { "date", "content-type", "server", "x-acs-request-id", "retry-after", "set-cookie",
  "x-ratelimit-user-api", "x-emulator", "authorization", "x-acs-security-token", "x-secret",
  "x-acs-action", "x-acs-version", "x-acs-date", "accept", "user-agent", "content-encoding",
  "x-acs-credentials-uri", "cookie", "x-acs-signature-nonce" }

local TEXTS = {
  "The specified group %s does not exist.", "User: acs:ram::1234567890123456:user/%s is denied",
  "server string to sign is:GET&%%2F&AccessKeyId%%3D%s%%26Action%%3DDescribeDisks",
  'cannot resolve "%s"', "Could not resolve host: %s", "https://h.example/%s?Signature=%s#%s",
  "{\"Token\": \"%s\"}", "x-acs-security-token:%s\nhost:ebs.example", "[%s]", "%s", "a%sb",
  "<Error><Message>%s</Message><SecurityToken>%s</SecurityToken></Error>", "user=%s;pass=%s",
}

-- Where a canary may sit: each puts it into an exchange.
local PLACES = {
  param = function(exchange, name, text) exchange.params[name] = text end,
  param_name = function(exchange, _, text) exchange.params[text] = "x" end,
  header = function(exchange, _, text, pick)
    exchange.headers[HEADERS[pick(#HEADERS)]] = text
  end,
  answer = function(exchange, name, text) exchange.json[name] = text end,
  nested = function(exchange, name, text)
    exchange.json.Things = core.array { { [name] = core.array { text } } }
  end,
  answer_name = function(exchange, _, text) exchange.json.Map = { [text] = 1 } end,
  answer_header = function(exchange, _, text, pick)
    exchange.answer.headers[HEADERS[pick(#HEADERS)]] = text
  end,
  message = function(exchange, _, text, pick)
    exchange.json.Message = (TEXTS[pick(#TEXTS)]:gsub("%%%%", "\0"):gsub("%%s", function()
      return text
    end):gsub("%z", "%%"))
  end,
  packed = function(exchange, name, text)
    exchange.params[name] = core.encode { text, { Name = text } }
  end,
  body = function(exchange, _, text, pick)
    exchange.json = nil
    exchange.answer.body = TEXTS[pick(#TEXTS)]:gsub("%%s", function() return text end)
  end,
  failure = function(exchange, _, text, pick)
    exchange.json = nil
    exchange.answer = { failure = "resolve", sent = false,
      detail = TEXTS[pick(#TEXTS)]:gsub("%%s", function() return text end) }
  end,
  failure_kind = function(exchange, _, text)
    exchange.json, exchange.answer = nil, { failure = text, sent = true }
  end,
  host = function(exchange, _, text) exchange.host = text .. ".example.com" end,
  action = function(exchange, _, text) exchange.action = text end,
  region = function(exchange, _, text) exchange.region = text end,
  packed_body = function(exchange, _, text)
    exchange.answer.headers["content-encoding"] = "gzip"
    exchange.json, exchange.answer.body = nil, text
  end,
}

-- What a canary is: each tells the exchange what it has to know of it.
local KNOWN = {
  secret = function(exchange, canary) exchange.keys.access_key_secret = canary end,
  sealed = function(exchange, canary) exchange.keys.security_token = core.secret(canary) end,
  key = function(exchange, canary) exchange.keys.access_key_id = canary end,
  id = function(exchange, canary) exchange.params.ReplicaGroupId = canary end,
  name = function(exchange, canary)
    if exchange.json then exchange.json.GroupName = canary end
  end,
  unknown = function() end,
}

local function new_exchange(number)
  return { product = "ebs", version = "2021-07-30", action = "DescribeDiskReplicaGroups",
    region = "cn-shanghai", mutating = false, method = "POST",
    host = "ebs.cn-shanghai.aliyuncs.com",
    params = { RegionId = "cn-shanghai" }, headers = {}, seconds = 0.01, attempt = 1,
    keys = { access_key_id = "LTAI5tNobody" .. number, access_key_secret = "nobody's" .. number },
    answer = { status = 200, headers = {} }, json = { RequestId = "x", Status = "normal" } }
end

local function canary_of(number, pick)
  local special = pick(4) == 1 and " é/+&=" or ""
  return ("kanari%05d%s%06x"):format(number, special, pick(16777216))
end

local PLACE_NAMES, ENCODING_NAMES = tables.keys(PLACES), tables.keys(canaries.ENCODINGS)
local FIELD_NAMES = names_of_fields()

-- Makes the exchanges, gives each to the recorder, and tells what canaries they had.
local function record(recording, seed, known)
  local pick, all = chance(seed), {}
  for number = 1, COUNT do
    local exchange, canary = new_exchange(number), canary_of(number, pick)
    local place, name = PLACE_NAMES[pick(#PLACE_NAMES)], FIELD_NAMES[pick(#FIELD_NAMES)]
    local encoding, what = ENCODING_NAMES[pick(#ENCODING_NAMES)], known[pick(#known)]
    all[number] = { canary = canary, says = ("%d %s %s %s %s"):format(number, place, name,
      encoding, what) }
    KNOWN[what](exchange, canary)
    PLACES[place](exchange, name, canaries.ENCODINGS[encoding](canary), pick)
    if exchange.json then exchange.answer.body = core.encode(exchange.json) end
    recording:exchange(exchange)
    if number % 50 == 0 then recording:difference("status_words", "saw " .. canary) end
  end
  recording:close()
  return all
end

local function check(text, all, step)
  local lower = text:lower()
  for i = 1, #all, step do
    assert.is_nil(canaries.left(text, all[i].canary, lower), all[i].says)
  end
end

local function open(path)
  return assert(recorder.open(path, { now = function() return 1795996800 end,
    command = { "status", "kanari-typed-0001", "--profile", "kanari-typed-0002" } }))
end

-- Writes everything down as it is, but still takes note of what fields hold.
local function blind(redactor)
  for _, name in ipairs { "string", "text", "host", "key", "headers", "value", "params" } do
    local real = redactor[name]
    redactor[name] = function(self, ...)
      if self.learning then return real(self, ...) end
      local first, second = ...
      return name == "string" and second or first
    end
  end
end

describe("a recording", function()
  it("has no canary in it, wherever and however it was written", function()
    local path = scratch.path ".jsonl"
    local recording = open(path)
    local all = record(recording, 20261130, tables.keys(KNOWN))
    all[#all + 1] = { canary = "kanari-typed-0001", says = "command" }
    all[#all + 1] = { canary = "kanari-typed-0002", says = "command" }
    check(scratch.read(path), all, 1)
    check(har.of(assert(reading.open(path))), all, 10)
    assert.equal(COUNT + COUNT // 50, recording.written)
    assert.equal(0, recording.dropped)
  end)

  it("has lines left out rather than a canary, where redaction has a hole", function()
    local path = scratch.path ".jsonl"
    local recording = open(path)
    blind(recording.redactor)
    local all = record(recording, 7, { "secret", "sealed", "key", "id" })
    check(scratch.read(path), all, 1)
    assert.is_true(recording.dropped > COUNT // 2, recording.dropped)
    assert.truthy(scratch.read(path):find '"dropped":"redaction could not be proved"')
  end)

  it("would show a canary that was let through", function()
    for name, encode in pairs(canaries.ENCODINGS) do
      assert.is_string(canaries.left('{"x":"' .. encode "kanari é/+&7f3a" .. '"}',
        "kanari é/+&7f3a"), name)
    end
  end)
end)
