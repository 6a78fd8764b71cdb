-- Ten mistakes that recorders of others made, each with the place where it was seen, and what keeps
-- this one from it.

local alicloud = require "alicloud"
local bench = require "spec.conformance.recording.bench"
local core = require "alicloud.core"
local emulator = require "alicloud.emulator"
local har = require "alicloud.conformance.recording.har"
local reading = require "alicloud.conformance.recording.reading"
local replays = require "alicloud.conformance.replay"
local scratch = require "spec.scratch"

local TOKEN = "CAISsecretSessionToken0123456789"
local NAME = "Shop of Ada 1"

local function has(text, needle) return text:find(needle, 1, true) ~= nil end

describe("a recording does not make the mistake of", function()
  -- vcrpy #961, #983
  it("filters on one way of writing only", function()
    local recording, path = bench.open { command = { "status", "name:" .. NAME } }
    recording:exchange(bench.exchange { json = { GroupName = NAME } })
    recording:exchange(bench.exchange { answer = { status = 502, body = "no " .. NAME } })
    recording:exchange(bench.exchange { answer = { failure = "resolve", sent = false,
      detail = "no host for " .. NAME } })
    recording:difference("status_words", ("a group %q is new"):format(NAME))
    recording:close()
    assert.is_false(has(scratch.read(path), "Ada"))
    assert.is_false(has(har.of(assert(reading.open(path))), "Ada"))
    local all = bench.lines(path)
    assert.equal("status name:name-001", all[1].command)
    assert.equal("no name-001", all[3].response.text)
    assert.equal("no host for name-001", all[4].failure.detail)
    assert.equal('a group "name-001" is new', all[5].difference.text)
  end)

  -- betamax #124, #172
  it("bodies in base64 or gzip that nobody searches", function()
    local sent
    local client <close> = alicloud.client { region = "cn-shanghai", access_key_id = "k",
      access_key_secret = "s", recorder = { exchange = function() end },
      transport = { send = function(request)
        sent = request
        return { status = 200, headers = {}, body = '{"RequestId":"x"}' }
      end } }
    assert(client:call "ebs:DescribeRegions")
    assert.equal("identity", sent.headers["accept-encoding"])

    local line = bench.line_of { answer = { status = 200, body = "\x1f\x8b" .. NAME,
      headers = { ["content-encoding"] = "gzip" } } }
    assert.equal("", line.response.text)
    local recording, path = bench.open()
    recording.redactor.string = function(_, _, value) return value end
    recording:exchange(bench.exchange { keys = { access_key_secret = TOKEN },
      json = { Extra = core.base64("x" .. TOKEN) } })
    recording:close()
    assert.equal("redaction could not be proved", bench.lines(path)[2].dropped)
  end)

  -- cloudflare/har-sanitizer #17, #25; vcr #704
  it("a request body or a rare field that nobody thought of", function()
    local line, text = bench.line_of { params = { RegionId = "cn-shanghai", UserPin = "4711-x",
      ["Thing.1.Note"] = "for Ada 1" } }
    assert.same({ RegionId = "cn-shanghai", UserPin = "text-002", ["Thing.1.Note"] = "text-001" },
      line.request.params)
    assert.is_false(has(text, "4711"))
  end)

  -- Skyvern #8621
  it("redacting nothing where there is no list of secrets", function()
    for _, keys in ipairs { {}, { access_key_id = "" } } do
      local line, text = bench.line_of { keys = keys, json = { GroupName = NAME,
        ReplicaGroupId = "pg-ada",
        Message = "LTAI5tAnotherKey77 of 1234567890123456 at 10.1.2.3" } }
      assert.is_false(has(text, "Ada") or has(text, "pg-ada"))
      assert.equal("key-001 of acct-001 at ip-001", line.response.json.Message)
    end
  end)

  -- scylladb #22478, formkiq-core #544, amazonka #1051, mcp-proxy-for-aws #166, Chrome's own HAR
  it("masking Authorization, and not the token of the session", function()
    local signed = { ["x-acs-security-token"] = TOKEN, authorization = "ACS3-HMAC-SHA256 x",
      ["x-acs-credentials-provider"] = "ada", ["x-acs-version"] = "2021-07-30" }
    local line, text = bench.line_of { headers = signed,
      params = { SecurityToken = TOKEN, AccessKeyId = "LTAI5tKeyOfNobody01", Signature = "abc=",
        SignatureNonce = "n1" } }
    assert.is_false(has(text, TOKEN) or has(text, "LTAI"))
    assert.same({ ["x-acs-version"] = "2021-07-30" }, line.request.headers)
    assert.same({ AccessKeyId = "key-001" }, line.request.params)
  end)

  -- reticle #72, hermes-agent #105695, opentelemetry-ebpf-instrumentation #2509
  it("another spelling of the name of a field", function()
    for _, name in ipairs { "AccessKeySecret", "access_key_secret", "access-key-secret",
      "ACCESSKEYSECRET", "Access Key Secret", "X-Acs-Security-Token", "security_token" } do
      local line, text = bench.line_of { json = { [name] = "hush-hush-1", Status = "normal" } }
      assert.same({ Status = "normal" }, line.response.json, name)
      assert.is_false(has(text, "hush"), name)
    end
  end)

  -- php-vcr #503
  it("a secret that the answer repeats", function()
    local line, text = bench.line_of {
      keys = { access_key_id = "LTAI5tKeyOfNobody01", access_key_secret = "x-secret-1",
        security_token = core.secret(TOKEN) },
      json = { Code = "SignatureDoesNotMatch", Message = "Specified signature is not matched with "
        .. "our calculation. server string to sign is:POST&%2F&AccessKeyId%3DLTAI5tKeyOfNobody01"
        .. "%26Action%3DDescribeDiskReplicaGroups%26SecurityToken%3D" .. TOKEN
        .. "%26Timestamp%3D2026-11-30T06%253A00%253A00Z" } }
    assert.is_false(has(text, TOKEN) or has(text, "LTAI"))
    assert.equal("Specified signature is not matched with our calculation. server string to sign "
      .. "is:POST&%2F&AccessKeyId%3Dkey-001%26Action%3DDescribeDiskReplicaGroups"
      .. "%26Timestamp%3D2026-11-30T06%253A00%253A00Z", line.response.json.Message)
  end)

  -- flyte-sdk #1339, aws-sdk-java-v2 #7388
  it("a signed URL in the text of an error", function()
    local line = bench.line_of { answer = { failure = "closed", sent = true,
      detail = "GET https://ebs.cn-shanghai.aliyuncs.com/?AccessKeyId=LTAI5tKeyOfNobody01"
        .. "&Action=DescribeRegions&Signature=9Zx%2Bq%3D&SecurityToken=" .. TOKEN .. ": reset" } }
    assert.equal("GET https://ebs.cn-shanghai.aliyuncs.com/?AccessKeyId=key-001"
      .. "&Action=DescribeRegions reset", line.failure.detail)
  end)

  -- php-vcr #503; go-vcr #54, exvcr #167
  it("giving the program what was redacted, or recording what matches nothing more", function()
    local emu = emulator.new { world = { groups = { { id = "pg-ada", name = "ada-1", pairs = 1,
      source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b" } } } }
    local recording, path = bench.open()
    local given = { region = "cn-shanghai", runtime = emu.runtime, transport = emu.transport,
      access_key_id = emu.access_key_id, access_key_secret = emu.access_key_secret,
      recorder = recording }
    local function ask(client, id)
      local answer = assert(client:call("ebs:DescribeDiskReplicaGroups",
        { GroupIds = id, Site = "backup" }))
      return answer.ReplicaGroups[1]
    end
    assert.equal("ada-1", ask(alicloud.client(given), "pg-ada").GroupName)
    recording:close()
    given.recorder, given.transport = nil, assert(replays.open(path, { mode = "strict" }))
    local group = ask(alicloud.client(given), "pg-001")
    assert.same({ "pg-001", "name-001" }, { group.ReplicaGroupId, group.GroupName })
  end)

  -- houseme/url-shortenter #2151
  it("writing down the environment", function()
    local getenv = os.getenv
    finally(function() os.getenv = getenv end) -- luacheck: ignore 122
    os.getenv = function() error "the environment was read" end -- luacheck: ignore 122
    assert.equal(1, bench.line_of().n)
  end)
end)
