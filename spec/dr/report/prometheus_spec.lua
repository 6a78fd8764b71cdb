-- Readiness as metrics: a strict reader of the text format finds in it what was judged, and nothing
-- that could not be told.

local prometheus = require "alicloud.dr.report.prometheus"

local NAME, LABEL = "^[%a_:][%w_:]*$", "^[%a_][%w_]*$"
local UNESCAPE = { ["\\\\"] = "\\", ["\\n"] = "\n", ['\\"'] = '"' }

-- The labels of a sample, from behind the brace on, and what is behind them.
local function labels_of(rest)
  local labels = {}
  while rest:sub(1, 1) ~= "}" do
    local name, from = rest:match '^([^=]+)="()'
    local to = from
    while rest:sub(to, to) ~= '"' do to = to + (rest:sub(to, to) == "\\" and 2 or 1) end
    assert(name:find(LABEL) and not labels[name], name)
    labels[name] = rest:sub(from, to - 1):gsub("\\.", function(pair)
      return assert(UNESCAPE[pair], pair)
    end)
    rest = rest:sub(to + 1):gsub("^,", "")
  end
  return labels, rest:sub(2)
end

-- Samples by name; each family stands together, behind its own HELP and TYPE.
local function read(text)
  assert.equal("\n", text:sub(-1))
  assert.truthy(utf8.len(text))
  local families, now, seen = {}, nil, {}
  for line in text:gmatch "(.-)\n" do
    local what, name, words = line:match "^# (%u+) (%S+) (.+)$"
    if what == "HELP" then
      assert(name:find(NAME) and not families[name] and words:find "%.$", name)
      families[name], now = {}, { name = name }
    elseif what == "TYPE" then
      assert.same({ now.name, "gauge" }, { name, words })
      now.typed = true
    else
      local own, rest = line:match "^([^{]+){(.*)$"
      local labels, value = labels_of(rest)
      assert(now.typed and own == now.name, line)
      assert(value:find "^ [%d.e+-]+$", line)
      local key = line:match "^.*}"
      assert(not seen[key], key)
      seen[key] = true
      table.insert(families[own], { labels = labels, value = tonumber(value) })
    end
  end
  return families
end

local function line_of(fields)
  local line = { group_id = "pg-a", region = "cn-shanghai", verdict = "ok" }
  for name, value in pairs(fields) do line[name] = value end
  return line
end

local function told(verdict, ...)
  return read(prometheus.readiness({ verdict = verdict, lines = { ... } },
    { region = "cn-shanghai", at = 1795982151.25 }))
end

local function holding(family, label)
  local list = {}
  for _, sample in ipairs(family or {}) do
    if sample.value == 1 then list[#list + 1] = sample.labels[label] end
  end
  return table.concat(list, " ")
end

local NORMAL = line_of { age = 432.5, max_rpo = 1200, declared_rpo = 900, open_drills = 0,
  unprotected = { {}, {} }, snapshot = { name = "orders", status = "normal", pair_number = 3,
    pairs = { { status = "normal" }, { status = "normal" }, { status = "stopped" } } } }

describe("metrics of readiness", function()
  it("tell of each group, and of all", function()
    local all = told("ok", NORMAL)
    assert.equal("ok", holding(all.alicloud_dr_readiness, "verdict"))
    assert.equal(1795982151.25, all.alicloud_dr_readiness_timestamp_seconds[1].value)
    assert.equal("ok", holding(all.alicloud_dr_group_readiness, "verdict"))
    assert.equal(4, #all.alicloud_dr_group_readiness)
    assert.equal("normal", holding(all.alicloud_dr_group_status, "status"))
    assert.equal("orders", all.alicloud_dr_group_info[1].labels.name)
    for name, value in pairs { recovery_point_age_seconds = 432.5, max_rpo_seconds = 1200,
      declared_rpo_seconds = 900, pairs = 3, pairs_agreeing = 2, open_drills = 0,
      unprotected_disks = 2 } do
      local family = all["alicloud_dr_group_" .. name]
      assert.same({ { labels = { group = "pg-a", region = "cn-shanghai" }, value = value } },
        family)
    end
  end)

  it("are absent, and not 0, where nothing can be told", function()
    local unread = line_of { group_id = "pg-c", verdict = "unknown", err = {} }
    local all = told("unknown", unread, line_of { group_id = "pg-b", verdict = "fail",
      snapshot = { role = "absent", pairs = {} } })
    local names = {}
    for name in pairs(all) do names[#names + 1] = name end
    table.sort(names)
    assert.same({ "alicloud_dr_group_readiness", "alicloud_dr_readiness",
      "alicloud_dr_readiness_timestamp_seconds" }, names)
    assert.equal("unknown fail", holding(all.alicloud_dr_group_readiness, "verdict"))
    all = told("ok", NORMAL, unread)
    assert.equal(1, #all.alicloud_dr_group_pairs)
  end)

  it("do not follow the locale's decimal comma", function()
    local before = os.setlocale(nil, "numeric")
    local _ <close> = setmetatable({}, { __close = function() os.setlocale(before, "numeric") end })
    local found = os.setlocale("de_DE.UTF-8", "numeric") or os.setlocale("fr_FR.UTF-8", "numeric")
    local text = prometheus.readiness({ verdict = "ok", lines = { NORMAL } },
      { region = "cn-shanghai", at = 1795982151.25 })
    assert.is_truthy(text:find(" 432.5\n", 1, true), found)
  end)

  it("have a sample for a status that no document names", function()
    local all = told("fail", line_of { snapshot = { status = "brand_new", pairs = {} } })
    assert.equal("brand_new", holding(all.alicloud_dr_group_status, "status"))
  end)

  it("bear every name", function()
    local odd = 'a"b\\c\nd äé'
    local all = told("ok", line_of { snapshot = { name = odd, status = "normal", pairs = {} } })
    assert.equal(odd, all.alicloud_dr_group_info[1].labels.name)
    all = told("ok", line_of { snapshot = { name = "\xff\xfe", status = "normal", pairs = {} } })
    assert.equal("??", all.alicloud_dr_group_info[1].labels.name)
    all = told("ok", line_of { snapshot = { name = "\27[31m\u{202e}x", status = "normal",
      pairs = {} } })
    local name = all.alicloud_dr_group_info[1].labels.name
    assert.is_nil(name:find "%c" or name:find("\u{202e}", 1, true), name)
  end)

  it("have the unit of what they measure at the end of their name", function()
    for name in pairs(told("ok", NORMAL)) do
      local timed = name:find "_age" or name:find "_rpo" or name:find "_timestamp"
      assert.equal(timed ~= nil, name:find "_seconds$" ~= nil, name)
    end
  end)
end)
