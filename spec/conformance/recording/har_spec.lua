-- A recording as HAR 1.2, held against the rules of the format as its specification words them.

local bench = require "spec.conformance.recording.bench"
local core = require "alicloud.core"
local har = require "alicloud.conformance.recording.har"
local reading = require "alicloud.conformance.recording.reading"

-- Fields that must be there, by object; what is called otherwise begins with an underscore.
local REQUIRED = {
  log = { version = "string", creator = "table", entries = "table" },
  creator = { name = "string", version = "string" },
  entry = { startedDateTime = "string", time = "number", request = "table", response = "table",
    cache = "table", timings = "table" },
  request = { method = "string", url = "string", httpVersion = "string", cookies = "table",
    headers = "table", queryString = "table", headersSize = "number", bodySize = "number" },
  response = { status = "number", statusText = "string", httpVersion = "string",
    cookies = "table", headers = "table", content = "table", redirectURL = "string",
    headersSize = "number", bodySize = "number" },
  content = { size = "number", mimeType = "string" },
  timings = { send = "number", wait = "number", receive = "number" },
  pair = { name = "string", value = "string" },
}
local OPTIONAL = { log = { comment = true }, content = { text = true } }

local function check(object, what)
  for name, kind in pairs(REQUIRED[what]) do
    assert.equal(kind, type(object[name]), what .. "." .. name)
  end
  for name in pairs(object) do
    assert.truthy(REQUIRED[what][name] or name:find "^_" or (OPTIONAL[what] or {})[name],
      what .. "." .. name)
  end
end

local function check_pairs(list)
  assert.is_true(core.is_array(list))
  for _, pair in ipairs(list) do check(pair, "pair") end
end

local function check_entry(entry)
  check(entry, "entry")
  check(entry.request, "request")
  check(entry.response, "response")
  check(entry.response.content, "content")
  check(entry.timings, "timings")
  assert.truthy(entry.startedDateTime:find "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ$")
  local timings = entry.timings
  assert.equal(entry.time, timings.send + timings.wait + timings.receive)
  check_pairs(entry.request.headers)
  check_pairs(entry.request.queryString)
  check_pairs(entry.response.headers)
  assert.same(core.array {}, entry.request.cookies)
end

local function record(...)
  local recording, path = bench.open { command = { "status", "pg-shop" } }
  for _, each in ipairs { ... } do recording:exchange(bench.exchange(each)) end
  recording:difference("status_words", "sleeping")
  recording:close()
  return assert(core.decode(har.of(assert(reading.open(path))))).log
end

describe("HAR", function()
  local log

  before_each(function()
    log = record({ params = { RegionId = "cn-shanghai", GroupIds = "pg-shop,pg-b" },
      json = { RequestId = "x" } },
      { host = "127.0.0.1:8080", answer = { status = 503, headers = {}, body = "<busy>" } },
      { answer = { failure = "timeout", sent = true, detail = "after 10 s" }, seconds = 10 })
  end)

  it("has every field that the format demands, and others under its own names", function()
    check(log, "log")
    check(log.creator, "creator")
    assert.equal("1.2", log.version)
    assert.equal(3, #log.entries)
    for _, entry in ipairs(log.entries) do check_entry(entry) end
  end)

  it("has the operation in the URL, with pseudonyms", function()
    assert.equal("https://ebs.cn-shanghai.aliyuncs.com/?Action=DescribeDiskReplicaGroups"
      .. "&GroupIds=pg-001%2Cpg-002&RegionId=cn-shanghai&Version=2021-07-30",
      log.entries[1].request.url)
    assert.truthy(log.entries[2].request.url:find("http://127.0.0.1:8080/?", 1, true))
    assert.equal("alicloud-dr status pg-001", log.comment)
  end)

  it("has bodies as they were read", function()
    assert.same({ size = 27, mimeType = "application/json", text = '{"RequestId":"request-001"}' },
      log.entries[1].response.content)
    assert.same({ size = 6, mimeType = "", text = "<busy>" }, log.entries[2].response.content)
  end)

  it("says what was not answered with status 0 and the failure", function()
    local entry = log.entries[3]
    assert.equal(0, entry.response.status)
    assert.same({ kind = "timeout", sent = true, detail = "after 10 s" }, entry._failure)
    assert.equal(10000, entry.time)
  end)

  it("has the marks of differences", function()
    assert.same({ { line = 5, at = "2026-11-30T00:00:00.000Z", assumption = "status_words",
      text = "sleeping" } }, log._differences)
  end)
end)
