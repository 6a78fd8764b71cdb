local core = require "alicloud.core"
local ebs = require "alicloud.service.ebs"
local ecs = require "alicloud.service.ecs"

local TYPES = {
  string = true, integer = true, boolean = true, ids = true, json_ids = true, list = true,
}
local RESPONSE_TYPES = { string = true, integer = true, boolean = true }
local REGIONS = { source = true, destination = true, group = true, resource = true, either = true }

-- The page of FailoverDiskReplicaGroup.
local SEED = {
  ["OperationDenied"] = 403, ["OperationDenied.InvalidStatus"] = 403,
  ["OperationDenied.NoPairInGroup"] = 403, ["OperationDenied.PairGroupStatusConflict"] = 403,
  ["OperationDenied.PairGroupAZoneConflict"] = 403, ["OperationDenied.PairInAnotherGroup"] = 403,
  ["OperationDenied.OperateNotAllowedForPrimary"] = 403,
  ["OperationDenied.OperateNotAllowedForStandby"] = 403, ["Forbidden"] = 403,
  ["Forbidden.Action"] = 403, ["NoSuchResource"] = 404, ["InternalError"] = 500,
  ["RequestTimeout"] = 504,
}

local function set_of(list)
  local set = {}
  for _, word in ipairs(list) do set[word] = true end
  return set
end

for _, data in ipairs { ebs, ecs } do
  local function each_operation(check)
    for name, operation in pairs(data.operations) do check(name, operation) end
  end

  describe("the data of " .. data.product, function()
    it("holds nothing but data", function()
      local function walk(value, path)
        assert.is_not_equal("function", type(value), path)
        if type(value) ~= "table" then return end
        assert.is_nil(getmetatable(value), path)
        for key, inner in pairs(value) do walk(inner, path .. "." .. tostring(key)) end
      end
      -- These are loaded when they are first read, which the metatable of the whole sees to.
      for _, field in ipairs { "waiters", "states", "errors" } do assert.is_table(data[field]) end
      for field, value in pairs(data) do walk(value, data.product .. "." .. field) end
      assert.is_nil(data.nothing)
    end)

    it("describes each operation whole", function()
      each_operation(function(name, operation)
        assert.is_boolean(operation.mutating, name)
        assert.is_boolean(operation.token, name)
        assert.matches("^%u[^\n]*%.$", operation.summary, name)
        assert.equal(data.product .. ":" .. name, operation.ram.action)
        assert.is_true(operation.ram.resource == "*" or operation.ram.resource:find("^acs:") == 1)
        assert.is_true(set_of { "create", "delete", "get", "list", "update" }[operation.ram.level])
        assert.is_true(REGIONS[operation.region], name)
        assert.equal(not (name:find("^Describe") or name:find("^List")), operation.mutating, name)
        assert.is_true(operation.timeout > 0, name)
        if operation.token then assert.is_true(operation.mutating, name) end
      end)
    end)

    it("gives every parameter a type that is checked, and words", function()
      local rules = require "alicloud.service.parameters"
      local function check(where, rule)
        assert.is_string(rule.doc, where)
        assert.is_nil(rule.doc:find("%.$"), where)
        assert.is_string(rules.allowed(rule), where)
        if rule.items then
          assert.is_true(rule.type == "list", where)
          if rule.items.type == "map" then
            for field, inner in pairs(rule.items.fields) do check(where .. "." .. field, inner) end
          else
            check(where .. ".N", rule.items)
          end
        end
      end
      each_operation(function(name, operation)
        for param, rule in pairs(operation.params) do
          assert.is_true(TYPES[rule.type], name .. "." .. param)
          assert.matches("^%u", param)
          check(name .. "." .. param, rule)
          if rule.default ~= nil then
            assert.is_true(rules.check(param, rule, rule.default), name .. "." .. param)
          end
        end
        for _, depend in ipairs(operation.depends or {}) do
          assert.is_table(operation.params[depend.on], name)
          assert.is_table(operation.params[depend.need or depend.refuse], name)
        end
      end)
    end)

    it("names type and unit of every response field", function()
      each_operation(function(name, operation)
        local seen = {}
        for _, field in ipairs(operation.response) do
          assert.is_true(RESPONSE_TYPES[field[2]], name .. " " .. field[1])
          assert.is_nil(seen[field[1]], field[1])
          seen[field[1]] = field[3] or "-"
        end
        assert.is_truthy(seen.RequestId, name)
        for path, unit in pairs(seen) do
          if path:find("RecoverPoint$") or path:find("StartAt$") then
            assert.equal("unix s", unit)
          end
          if path:find("%.RPO$") then assert.equal("s", unit) end
          if path:find("Bandwidth$") then assert.equal("Kbit/s", unit) end
        end
      end)
    end)

    it("pages over parameters and fields that exist", function()
      each_operation(function(name, operation)
        local paging, params = operation.paging, operation.params
        assert.equal(params.NextToken ~= nil, paging ~= nil, name)
        if not paging then return end
        assert.is_table(params[paging.input], name)
        local fields = {}
        for _, field in ipairs(operation.response) do fields[field[1]] = true end
        local listed = false
        for field in pairs(fields) do
          listed = listed or field:sub(1, #paging.items + 2) == paging.items .. "[]"
        end
        assert.is_true(listed and fields[paging.output], name)
        if paging.limit then
          assert.equal(params[paging.limit].max, paging.max, name)
          assert.is_true((paging.default or 1) <= (paging.max or math.huge), name)
        end
        local numbered = paging.numbered
        assert.equal(params.PageNumber ~= nil, numbered ~= nil, name)
        if numbered then
          assert.is_table(params[numbered.page], name)
          assert.equal(params[numbered.size].max, numbered.max, name)
          assert.is_true(fields[numbered.page] and fields[numbered.total], name)
        end
      end)
    end)

    it("waits with words that are states and exclude each other", function()
      local known = {}
      for _, words in pairs(data.states) do
        for _, word in ipairs(words) do known[word] = true end
      end
      local function check(name, definition)
        local seen = {}
        for _, kind in ipairs { "success", "failure", "transient" } do
          for _, word in ipairs(definition[kind]) do
            assert.is_true(known[word], name .. " " .. word)
            assert.is_nil(seen[word], name .. " " .. word)
            seen[word] = kind
          end
        end
        assert.is_true(#definition.success > 0 or definition.gone or definition.positive ~= nil)
      end
      for name, definition in pairs(data.waiters) do
        local operation = data.operations[definition.operation]
        assert.is_false(operation.mutating, name)
        assert.equal(operation.paging.items, definition.items)
        check(name, definition)
        if definition.nested then check(name .. " nested", definition.nested) end
        assert.is_string(definition.doc, name)
        assert.is_true(definition.delay >= 1 and definition.timeout > definition.delay)
        local fields = {}
        for _, field in ipairs(operation.response) do fields[field[1]] = true end
        local item = definition.items .. "[]."
        assert.is_true(fields[item .. definition.field], name)
        if definition.positive then assert.is_true(fields[item .. definition.positive], name) end
        local nested = definition.nested
        if nested then
          local inner = nested.items and nested.items .. "[]." or ""
          assert.is_true(fields[item .. inner .. nested.field], name)
        end
      end
    end)

    it("names a waiter for every change that does not end at once", function()
      local SYNCHRONOUS = set_of {
        "ModifyDiskReplicaPair", "ModifyDiskReplicaGroup", "TagResources", "UntagResources",
        "ChangeResourceGroup",
      }
      each_operation(function(name, operation)
        local wanted = operation.mutating and not SYNCHRONOUS[name]
        assert.equal(wanted, operation.waiter ~= nil, name)
        if operation.waiter then assert.is_table(data.waiters[operation.waiter], name) end
      end)
    end)

    it("takes no state from which a call is allowed for one it never heard of", function()
      local KINDS = { pair = true, group = true, disk = true, instance = true }
      each_operation(function(name, operation)
        local definition = data.waiters[operation.waiter]
        for whose, states in pairs(operation.legal_states or {}) do
          local known = set_of(data.states[whose:match("^%a+")])
          local waits_for = operation.waiter and operation.waiter:match("^%a+")
          for _, state in ipairs(states) do
            assert.is_true(known[state], name .. " " .. state)
            -- Otherwise a wait right after the call would not know what it reads.
            if KINDS[whose] and whose == waits_for and not definition.gone then
              local words = set_of(definition.success)
              for _, kind in ipairs { "failure", "transient" } do
                for _, word in ipairs(definition[kind]) do words[word] = true end
              end
              local odd = operation.waiter == "pair_failovered"
              assert.is_true(words[state] or odd, name .. " " .. state)
            end
          end
        end
      end)
    end)

    it("explains every error of every operation, at three in the morning", function()
      each_operation(function(name, operation)
        for _, code in ipairs(operation.errors) do
          assert.is_table(data.errors[code], name .. " " .. code)
        end
      end)
      for code, entry in pairs(data.errors) do
        assert.is_true(math.type(entry.status) == "integer" and entry.status >= 400, code)
        for _, field in ipairs { "meaning", "cure" } do
          assert.is_true(type(entry[field]) == "string" and #entry[field] > 5, code .. field)
          assert.is_nil(entry[field]:find("%c"), code .. field)
        end
        assert.matches("%.$", entry.meaning, code)
        assert.is_nil(entry.cure:find("%.$"), code)
        if entry.message then
          assert.is_nil(entry.message:find("%c"), code)
          assert.is_not_equal(entry.message, entry.meaning, code)
        end
      end
    end)
  end)
end

describe("the data of block storage", function()
  it("takes every state from which a failover is allowed for one on the way", function()
    local definition = ebs.waiters.group_failovered
    local known = {}
    for _, kind in ipairs { "success", "failure", "transient" } do
      for _, word in ipairs(definition[kind]) do known[word] = kind end
    end
    for _, state in ipairs(ebs.operations.FailoverDiskReplicaGroup.legal_states.group) do
      assert.is_string(known[state], state)
    end
    assert.equal("success", known.failovered)
    assert.equal("failure", known.failover_failed)
  end)

  it("has the thirteen documented errors of the failover with their HTTP statuses", function()
    local listed = {}
    for _, code in ipairs(ebs.operations.FailoverDiskReplicaGroup.errors) do
      assert.is_nil(listed[code])
      listed[code] = ebs.errors[code].status
      assert.is_true(#ebs.errors[code].message > 5)
    end
    assert.same(SEED, listed)
  end)

  it("gives ClientTokens to all changes but the clearing of drills", function()
    for name, operation in pairs(ebs.operations) do
      local clears = name:find("^Clear") ~= nil
      assert.equal(operation.mutating and not clears, operation.token, name)
    end
  end)

  it("agrees with the C core about what each code means for a retry", function()
    local expected = {
      ["RequestTimeout"] = "unknown", ["InternalError"] = "unknown",
      ["ServiceUnavailable"] = "unknown", ["NoSuchResource"] = "rejected",
      ["OperationDenied"] = "rejected", ["Throttling"] = "rejected",
      ["BLOCK.LimitedRquest"] = "rejected", ["SignatureNonceUsed"] = "unknown",
      ["LastTokenProcessing"] = "unknown", ["OperationDenied.PairsExceedInGroup"] = "rejected",
      ["OperationDenied.StandbyDeviceAttached"] = "rejected", ["NoPermission.SLR"] = "rejected",
    }
    for code, outcome in pairs(expected) do
      local entry = ebs.errors[code]
      local _, fields = core.read {
        status = entry.status, headers = {},
        body = core.encode { Code = code, Message = entry.message or "words", RequestId = "R" },
      }
      assert.equal(outcome, fields.outcome, code)
    end
  end)
end)

describe("loading a service", function()
  -- Counted, not timed: what an instruction costs depends on the machine.
  it("keeps less than a mebibyte and runs less than 200,000 instructions", function()
    for _, product in ipairs { "ebs", "ecs" } do
      local loaded = {}
      for name in pairs(package.loaded) do
        if name:find("^alicloud%.service%.") then
          loaded[name], package.loaded[name] = package.loaded[name], nil
        end
      end
      finally(function()
        for name, module in pairs(loaded) do package.loaded[name] = module end
      end)
      collectgarbage()
      collectgarbage()
      local before, steps = collectgarbage("count"), 0
      debug.sethook(function() steps = steps + 1 end, "", 1000)
      local data = require("alicloud.service." .. product)
      debug.sethook()
      collectgarbage()
      collectgarbage()
      assert.is_true(collectgarbage("count") - before < 1024)
      assert.is_true(steps < 200, product .. " " .. steps)
      assert.equal(product, data.product)
    end
  end)
end)
