-- One side of the benchmark: CPU microseconds per call of the product, measured as floor.c does.
--   lua5.4 ours.lua client|core URL CALLS KEY_ID SECRET

local posix = require "spec.posix"

local layer, url, calls, key_id, secret = table.unpack(arg)
calls = math.tointeger(tonumber(calls))

-- The whole client: parameters, credentials, signature, sending, outcome, result.
local function whole_client()
  local alicloud = require "alicloud"
  local client = alicloud.client {
    region = "cn-shanghai", endpoint = url, access_key_id = key_id, access_key_secret = secret,
    retries = 0,
    -- Never in the way, but paid for.
    rate = { region = 1e5, actions = { DescribeRegions = 1e5 } },
  }
  return function() assert(client:call("DescribeRegions", {})) end
end

-- The C core alone, driven by a loop of three lines.
local function bare_core()
  local core, transport = require "alicloud.core", require "alicloud.transport"
  local client = transport.new {}
  local host = url:match("^http://(.+)$")
  return function()
    local signed = core.sign {
      algorithm = "ACS3-HMAC-SHA256", method = "POST", scheme = "http", host = host, path = "/",
      query = { RegionId = "cn-shanghai" }, action = "DescribeRegions", version = "2021-07-30",
      access_key_id = key_id, access_key_secret = secret, date = core.iso8601(core.time() // 1 | 0),
      nonce = core.random_hex(16),
    }
    local op = client:submit {
      method = signed.method, url = signed.url, headers = signed.headers, body = signed.body,
      timeout = 10,
    }
    while not op:done() do
      core.poll(client:pollfd(), "r", client:timeout() or 1)
      client:step()
    end
    assert(core.read(op:result()))
  end
end

local call = layer == "client" and whole_client() or bare_core()
for _ = 1, 50 do call() end
local start = posix.usage()
for _ = 1, calls do call() end
print(("%.2f"):format((posix.usage() - start) / calls * 1e6))
