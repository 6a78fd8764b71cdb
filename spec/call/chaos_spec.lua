-- Calls to a service that answers at random: what must hold whatever it answers.
local helper = require "spec.helper"

local ok, refuse, broken = helper.ok, helper.refuse, helper.broken

local function nonce(request)
  return request.headers["x-acs-signature-nonce"]
end

describe("any service, over three thousand seeds", function()
  local ANSWERS = {
    function() return ok() end,
    function() return refuse(504, "RequestTimeout") end,
    function() return refuse(500, "InternalError") end,
    function() return refuse(403, "OperationDenied") end,
    function() return refuse(400, "SignatureNonceUsed") end,
    function() return refuse(403, "LastTokenProcessing") end,
    function(random)
      local milliseconds = tostring(math.floor(random() * 90000))
      return refuse(429, "Throttling", { ["x-acs-retry-after"] = milliseconds })
    end,
    function() return broken("connect", false) end,
    function() return broken("timeout", true) end,
    function() error "transport bug" end,
    function() return "rubbish" end,
  }

  it("keeps deadline, attempts, token, nonces and the truth about the outcome", function()
    for seed = 1, 3000 do
      local random = helper.generator(seed)
      local resend = random() < 0.5 and "token" or "never"
      local transport, doubtful = { requests = {} }, false
      local client, control, _
      function transport.send(request)
        transport.requests[#transport.requests + 1] = request
        control.elapsed = control.elapsed + random() * request.timeout
        local index = 1 + math.floor(random() * #ANSWERS)
        local harmless = index == 4 or index == 7 or index == 8
        doubtful = doubtful or not (harmless or index == 1)
        return ANSWERS[index](random)
      end
      client, _, control = helper.client({}, { transport = transport, random = random,
        retries = math.floor(random() * 5) })
      local result, err = client:call("FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-orders" },
        { deadline = 1 + random() * 60, resend = resend })
      local requests, nonces = transport.requests, {}
      for i, request in ipairs(requests) do
        assert.equal(requests[1].url, request.url)
        assert.is_nil(nonces[nonce(request)])
        nonces[nonce(request)] = true
        assert.is_true(request.timeout > 0 and request.timeout <= 30, i)
      end
      assert.is_true(#requests >= 1 and #requests <= 5)
      assert.is_true(control.elapsed <= 61)
      if not result then
        assert.equal(doubtful, err.outcome == "unknown", "seed " .. seed)
        assert.equal(#requests, err.attempts)
      elseif resend == "never" then
        assert.is_false(doubtful, "resent after an unknown outcome, seed " .. seed)
      end
    end
  end)
end)
