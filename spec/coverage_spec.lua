-- Operations × (callable, validated, as documented): no hole. The facts are a list of their own, so
-- that neither they nor the service data can hide a slip of the other.

local core = require "alicloud.core"
local data = require "alicloud.service.ebs"
local helper = require "spec.helper"
local params = require "alicloud.call.params"
local sorted = require "alicloud.base.tables"

local file = assert(io.open("spec/vectors/api/ebs.json", "rb"))
local facts = assert(core.decode(file:read("a"), { max_bytes = 1 << 20 }))
file:close()

local names = sorted.keys(facts.operations)

local matrix = {}
for _, name in ipairs(names) do matrix[name] = {} end

local SHARED_ERRORS = {
  { code = "Forbidden", status = 403 }, { code = "Forbidden.Action", status = 403 },
  { code = "NoSuchResource", status = 404 }, { code = "InternalError", status = 500 },
  { code = "RequestTimeout", status = 504 },
}

local function in_order(list)
  local copy = { table.unpack(list) }
  table.sort(copy)
  return copy
end

-- A value that the documentation allows.
local function sample(param)
  if param.refuses then return false end
  if param.values then return param.values[1] end
  if param.type == "boolean" then return true end
  if param.type == "integer" then return param.max or param.min or 1 end
  if param.type == "list of maps" then return { { Key = "k", Value = "v" } } end
  if param.type == "list of strings" or param.joined then return { "x-1", "x-2" } end
  return param.name:find("RegionId$") and "cn-beijing" or "x-1"
end

local function samples(operation)
  local given = {}
  for _, param in ipairs(operation.params) do given[param.name] = sample(param) end
  return given
end

local function repeated(count, value)
  local list = {}
  for i = 1, count do
    list[i] = type(value) == "table" and { Key = "k" .. i, Value = "v" } or value
  end
  return list
end

-- Values that the documentation does not allow, each with what must be named as the culprit.
local function violations(param)
  local list = {}
  local function add(value, where)
    list[#list + 1] = { value = value, where = where or param.name }
  end
  if param.type == "string" then
    add(5)
    add(true)
  elseif param.type == "integer" then
    add(1.5)
    add("many")
    add({})
  elseif param.type == "boolean" then
    add("yes")
    add(1)
  else
    add("text")
    add({ a = 1 })
  end
  if param.values then add(type(param.values[1]) == "string" and "nonsense" or 7) end
  if param.min then add(param.min - 1) end
  if param.max then add(param.max + 1) end
  if param.min_length then add(("a"):rep(param.min_length - 1)) end
  if param.max_length then add(("a"):rep(param.max_length + 1)) end
  if param.ascii then add("tökén") end
  if param.no_url then
    add("http://x")
    add("HTTPS://x")
  end
  if param.letter_first then add("1st") end
  if param.also then
    add("a b")
    add("a/b")
    if not param.also:find(".", 1, true) then add("a.b") end
  end
  if param.joined then
    add("")
    add("a,,b")
    add(repeated(param.max_items + 1, "x"))
    add(table.concat(repeated(param.max_items + 1, "x"), param.joined))
  elseif param.type == "list of maps" then
    add(repeated(param.max_items + 1, {}))
    add({ { Key = "aliyun-own", Value = "v" } }, param.name .. ".1.Key")
    add({ { Key = "acs:own", Value = "v" } }, param.name .. ".1.Key")
    add({ { Key = ("k"):rep(129), Value = "v" } }, param.name .. ".1.Key")
    add({ { Key = "k", Value = ("v"):rep(129) } }, param.name .. ".1.Value")
    add({ { Key = "k", Value = "see http://x" } }, param.name .. ".1.Value")
  elseif param.type == "list of strings" then
    add(repeated(param.max_items + 1, "x"))
    add({ "x", 5 }, param.name .. ".2")
  end
  return list
end

-- Values at the documented limits, which must pass.
local function limits(param)
  local list = {}
  for _, value in ipairs(param.values or {}) do list[#list + 1] = value end
  for _, key in ipairs { "min", "max", "takes" } do list[#list + 1] = param[key] end
  if param.min_length then list[#list + 1] = ("a"):rep(param.min_length) end
  if param.max_length then list[#list + 1] = ("a"):rep(param.max_length) end
  if param.also then list[#list + 1] = "云盘" .. param.also end
  if param.max_items then
    list[#list + 1] = repeated(param.max_items, param.type == "list of maps" and {} or "x")
  end
  if param.joined then
    list[#list + 1] = table.concat(repeated(param.max_items, "x"), param.joined)
  end
  if param.type == "list of maps" then
    list[#list + 1] = { { Key = ("k"):rep(128), Value = ("v"):rep(128) } }
  end
  return list
end

local function sent_params(request)
  if not request.body or request.body == "" then return helper.query(request) end
  return helper.query { url = "?" .. request.body }
end

describe("every operation can be called:", function()
  for _, name in ipairs(names) do
    local fact = facts.operations[name]

    it(name, function()
      local client, transport = helper.client { helper.ok() }
      local service = client:service "ebs"
      local given = samples(fact)
      if given.ClientToken then given.ClientToken = nil end
      local result = assert(service[name](service, given))
      assert.equal("REQ-OK", result.RequestId)
      local request = transport.requests[1]
      assert.equal(name, request.action)
      assert.equal("ebs.cn-beijing.aliyuncs.com", request.host)
      assert.equal("2021-07-30", request.headers["x-acs-version"])
      local sent = sent_params(request)
      assert.equal(fact.form == true, helper.query(request).RegionId == nil)
      if data.operations[name].token then
        assert.matches("^%x+$", sent.ClientToken)
        given.ClientToken = sent.ClientToken
      end
      local operation = data.operations[name]
      assert.same(params.flatten(params.shape(operation, given)), sent)
      matrix[name].callable = true
    end)
  end
end)

describe("nothing is sent that the documentation does not allow:", function()
  for _, name in ipairs(names) do
    local fact = facts.operations[name]
    local client, transport = helper.client {}
    local service = client:service "ebs"

    local function judge(changes)
      local given = samples(fact)
      for key, value in pairs(changes) do given[key] = value end
      return service:validate(name, given)
    end

    it(name, function()
      for _, param in ipairs(fact.params) do
        for _, bad in ipairs(violations(param)) do
          local ok, message = judge { [param.name] = bad.value }
          local where = ("%s.%s = %s"):format(name, param.name, core.encode(bad.value))
          assert.is_nil(ok, where)
          local culprit, shown, allowed = message:match(
            "^ebs:" .. name .. ": parameter (%S+): got (.+); allowed: (.+)$")
          assert.equal(bad.where, culprit, message)
          assert.is_true(#shown > 0 and #allowed > 2, message)
        end
        for _, good in ipairs(limits(param)) do
          local changes = { [param.name] = good }
          if good == "POSTPAY" then changes.Bandwidth = core.null end
          local ok, message = judge(changes)
          assert.is_true(ok, message)
        end
        if param.required then
          local without = samples(fact)
          without[param.name] = nil
          local ok, message = params.validate(data.operations[name], without)
          assert.is_nil(ok)
          assert.equal(("parameter %s is required"):format(param.name), message)
        end
        local misspelt = param.name .. "s"
        local ok, message = judge { [misspelt] = "x" }
        assert.is_nil(ok)
        assert.is_truthy(message:find(('unknown parameter "%s"; did you mean "'):format(misspelt),
          1, true), message)
      end
      assert.equal(0, #transport.requests)
      matrix[name].validated = true
    end)
  end

  it("what parameters ask of each other", function()
    local service = helper.client({}):service "ebs"
    local seen = 0
    for _, name in ipairs(names) do
      local fact = facts.operations[name]
      for _, param in ipairs(fact.params) do
        local given = samples(fact)
        local condition = param.required_with or param.refused_with
        if condition then given[condition[1]] = condition[2] end
        if param.required_with then given[param.name] = nil end
        if param.refuses then given[param.name] = true end
        if condition or param.refuses then
          seen = seen + 1
          local ok, message = service:validate(name, given)
          assert.is_nil(ok, name)
          local culprit = param.refuses or param.name
          assert.is_truthy(message:find("parameter " .. culprit, 1, true), message)
          assert.is_truthy(message:find("; allowed: ", 1, true), message)
        end
      end
    end
    assert.equal(3, seen)
    -- The documented default of ChargeType counts as given.
    local fact = facts.operations.CreateDiskReplicaPair
    local given = samples(fact)
    given.ChargeType = nil
    local ok, message = service:validate("CreateDiskReplicaPair", given)
    assert.is_nil(ok)
    assert.matches("Bandwidth: got 10240 .*; allowed: nothing with ChargeType = POSTPAY", message)
  end)
end)

local TYPES = { ["list of maps"] = "list", ["list of strings"] = "list" }

local function compare_param(where, param, rule)
  assert.is_table(rule, where)
  assert.equal(param.joined and "ids" or TYPES[param.type] or param.type, rule.type, where)
  assert.equal(param.required, rule.required == true, where)
  for _, key in ipairs { "min", "max", "max_items", "default", "unit" } do
    if param[key] ~= nil then assert.equal(param[key], rule[key], where .. " " .. key) end
  end
  if param.values then
    local words = {}
    for i, value in ipairs(param.values) do words[i] = value end
    assert.same(in_order(words), in_order(rule.values), where)
  end
  for field, required in pairs(param.fields or {}) do
    assert.equal(required, rule.items.fields[field].required == true, where .. "." .. field)
  end
end

local function compare_response(name, fact, operation)
  local documented = {}
  for _, field in ipairs(fact.response) do
    documented[field.path] = field.type .. (field.unit and " in " .. field.unit or "")
  end
  local ours = {}
  for _, field in ipairs(operation.response) do
    ours[field[1]] = field[2] .. (field[3] and " in " .. field[3] or "")
  end
  assert.same(documented, ours, name)
end

local function compare_errors(name, fact, operation)
  local seen = {}
  for _, code in ipairs(operation.errors) do
    assert.is_nil(seen[code], name .. " lists twice " .. code)
    seen[code] = true
  end
  for _, wrong in ipairs(fact.errors or SHARED_ERRORS) do
    assert.is_true(seen[wrong.code], name .. " lacks " .. wrong.code)
    local entry = data.errors[wrong.code]
    assert.is_true(entry.status == wrong.status or entry.also == wrong.status,
      ("%s %s: %d"):format(name, wrong.code, wrong.status))
    seen[wrong.code] = nil
  end
  assert.is_nil(next(seen), name)
end

local function legal_states_of(fact)
  local legal = fact.legal_states or {}
  local excluded = {}
  for _, word in ipairs(legal.pair_not or {}) do excluded[word] = true end
  local pair = legal.pair
  if legal.pair_not then
    pair = {}
    for _, word in ipairs(facts.states.replication) do
      if not excluded[word] then pair[#pair + 1] = word end
    end
  end
  return {
    pair = pair, group = legal.group or legal.group_oneshot_false,
    group_one_shot = legal.group_oneshot_true,
  }
end

local REGION_WORDS = {
  source = { "primary %(source%)", "primary disk$", "production/source" },
  destination = { "secondary" },
  group = { "of the group" },
  either = { "primary or secondary", "region of the pair" },
}

local function region_agrees(rule, region)
  for _, pattern in ipairs(REGION_WORDS[region] or {}) do
    if rule:find(pattern) then return true end
  end
  return false
end

describe("the data says what the documentation says:", function()
  for _, name in ipairs(names) do
    it(name, function()
      local fact, operation = facts.operations[name], data.operations[name]
      local listed = {}
      for _, param in ipairs(fact.params) do
        compare_param(name .. "." .. param.name, param, operation.params[param.name])
        listed[param.name] = true
      end
      for param in pairs(operation.params) do assert.is_true(listed[param], param) end
      assert.equal(fact.client_token == true, operation.params.ClientToken ~= nil)
      assert.equal(operation.mutating and operation.params.ClientToken ~= nil, operation.token)
      assert.equal(fact.form == true, operation.form == true)
      assert.equal(fact.per_second, operation.per_second)
      if fact.response then compare_response(name, fact, operation) end
      compare_errors(name, fact, operation)
      local legal = legal_states_of(fact)
      for _, whose in ipairs { "pair", "group", "group_one_shot" } do
        local ours = (operation.legal_states or {})[whose]
        assert.same(in_order(legal[whose] or {}), in_order(ours or {}), name .. " " .. whose)
      end
      assert.equal("ebs:" .. name, operation.ram.action)
      if fact.ram and fact.ram.resource then
        assert.equal(fact.ram.resource, operation.ram.resource)
        assert.equal(fact.ram.inferred, operation.ram.inferred == true)
        assert.equal(fact.ram.also, operation.ram.also)
        if fact.ram.level then assert.equal(fact.ram.level, operation.ram.level) end
      elseif not fact.ram then
        assert.is_true(operation.ram.inferred, name)
      end
      if fact.region_rule then
        assert.is_true(region_agrees(fact.region_rule, operation.region), name)
      end
      matrix[name].documented = true
    end)
  end

  it("states", function()
    assert.same(in_order(facts.states.replication), in_order(data.states.pair))
    assert.same(in_order(facts.states.replication), in_order(data.states.group))
    assert.same(in_order(facts.states.drill), in_order(data.states.drill))
    assert.same(in_order(facts.states.drill_disk), in_order(data.states.drill_disk))
  end)
end)

describe("the coverage", function()
  it("has no hole", function()
    assert.equal(33, #names)
    for name in pairs(data.operations) do assert.is_table(matrix[name], name) end
    for _, name in ipairs(names) do
      assert.same({ callable = true, validated = true, documented = true }, matrix[name], name)
    end
  end)
end)
