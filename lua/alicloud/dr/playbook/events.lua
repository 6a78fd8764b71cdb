--- The schema of the records of a run: which fields each has, with their types and bounds. A
--- journal may come from anywhere, so every reader checks it here: a bad record is an error that
--- names its line, and the code behind can rely on the fields.

local errors = require "alicloud.base.error"
local journals = require "alicloud.dr.journal"
local moment = require "alicloud.base.moment"
local schema = require "alicloud.base.schema"
local tables = require "alicloud.base.tables"
local ways = require "alicloud.dr.playbook.way"

local M = {}

-- Bounds far above what a run writes itself, since it must always be able to read its own journal.
local NAME_BYTES, TEXT_BYTES = 65536, 16777216
local LAST_TIME = 253402300799
local MOST_SECONDS = 1e12

local function text_of(most)
  return schema.rule(("text of up to %d bytes"):format(most), function(value)
    return type(value) == "string" and #value <= most
  end)
end

local function number_of(allowed, from, to)
  return schema.rule(allowed, function(value)
    return type(value) == "number" and value >= from and value <= to
  end)
end

local function hex(digits)
  return schema.rule(digits .. " hexadecimal digits", function(value)
    return type(value) == "string" and #value == digits and value:find "^%x+$" ~= nil
  end)
end

local NAME, TEXT, TABLE, BOOLEAN = text_of(NAME_BYTES), text_of(TEXT_BYTES),
  schema.typed "table", schema.boolean
local COUNT = schema.integer(0, 1 << 53)
local TIME = number_of("seconds since 1970, up to the year 9999", 0, LAST_TIME)
local SECONDS = number_of("a number of seconds", -MOST_SECONDS, MOST_SECONDS)
local NUMBER = number_of("a number", -math.huge, math.huge)
local KEY, SUM, SIGNATURE = hex(64), hex(64), hex(128)
local ANY = schema.rule("anything", function() return true end)
local WORD = schema.rule("text or a number", function(value)
  return NAME.test(value) or type(value) == "number"
end)
local MODE = schema.choice("graceful", "ungraceful")
local KIND = schema.choice("drill", "planned", "unplanned")

-- The rule of an optional field; all other fields are required.
local function maybe(rule)
  return tables.merged(rule, { required = false })
end

local function needed(fields)
  local rules = {}
  for name, rule in pairs(fields) do
    rules[name] = rule.required == nil and tables.merged(rule, { required = true }) or rule
  end
  return rules
end

local function object(fields)
  return { allowed = TABLE.allowed, test = TABLE.test, fields = needed(fields) }
end

local function list(rule)
  return { allowed = "a list", each = rule, test = function(value)
    return TABLE.test(value) and tables.list_length(value) ~= nil
  end }
end

local function map(rule)
  return schema.rule("a table of " .. rule.allowed, function(value)
    if type(value) ~= "table" then return false end
    for name, each in pairs(value) do
      if type(name) ~= "string" or not rule.test(each) then return false end
    end
    return true
  end)
end

local ERROR = object { kind = maybe(WORD), code = maybe(WORD), message = maybe(TEXT),
  outcome = maybe(WORD), hint = maybe(TEXT), product = maybe(WORD), action = maybe(WORD),
  region = maybe(WORD), group_id = maybe(WORD), request_id = maybe(WORD),
  client_token = maybe(WORD), attempts = maybe(WORD), status = maybe(WORD),
  again = maybe(TEXT), parameter = maybe(WORD), parameter_value = maybe(WORD),
  forcible = maybe(list(NAME)) }

local LOSS = object { seconds = SECONDS, by = NAME, why = TEXT }

local FORCE = object { code = NAME, why = TEXT, by = NAME }

local PLACE = object { region = maybe(NAME), zone = maybe(NAME) }

local INTENT = object { group_id = NAME, unit = maybe(NAME), region = NAME, client_token = NAME,
  status = maybe(NAME), pairs = maybe(list(NAME)), pair_status = maybe(map(NAME)),
  pair_fault = maybe(TEXT),
  from = maybe(PLACE), to = maybe(PLACE), recover_point = maybe(NUMBER),
  group_recover_point = maybe(NUMBER), pair_recover_point = maybe(map(NUMBER)),
  drill_id = maybe(NAME), drills_before = maybe(list(NAME)) }

local DECISION = object { version = COUNT, run = NAME, gate = NAME, kind = KIND, mode = MODE,
  playbook = object { name = NAME, digest = NAME }, params = TABLE, region = maybe(NAME),
  groups = list(object { id = NAME, region = NAME, from = maybe(NAME), to = maybe(NAME),
    recover_point = maybe(NUMBER) }),
  need = COUNT, approvers = list(object { name = NAME, key = KEY, from = NAME }),
  expires = SECONDS, accept_loss = maybe(LOSS), force = maybe(list(FORCE)),
  incident = maybe(NAME), outage_at = maybe(NAME), requester = NAME }

local EVENTS = {
  run = { version = COUNT, playbook = NAME, digest = NAME, file = maybe(NAME), run_id = NAME,
    params = TABLE, kind = KIND, mode = MODE, incident = maybe(NAME),
    incident_since = maybe(TIME), requester = NAME,
    declared = maybe(object { rto = maybe(SECONDS), rpo = maybe(SECONDS) }),
    region = maybe(NAME), graceful_only = maybe(TEXT), account = maybe(NAME),
    replay = maybe(NAME) },
  attempt = { n = COUNT, owner = NAME, host = NAME, pid = COUNT, fence = maybe(COUNT),
    digest = NAME, region = maybe(NAME), key = maybe(KEY), edited_from = maybe(NAME),
    cut_bytes = maybe(COUNT), taken_from = maybe(NAME), way = maybe(ways.RULE) },
  step_begin = { step = NAME, verify = maybe(BOOLEAN), no_return = maybe(BOOLEAN),
    critical = maybe(BOOLEAN), definition = maybe(NAME), renewed = maybe(BOOLEAN),
    stops_production = maybe(BOOLEAN), marks = maybe(NAME) },
  step_end = { step = NAME, ok = BOOLEAN, result = maybe(ANY), found = maybe(ANY),
    err = maybe(ERROR), went_on = maybe(BOOLEAN),
    may_have_acted = maybe(BOOLEAN), used = maybe(list(NAME)) },
  step_skip = { step = NAME, why = TEXT, by = maybe(NAME) },
  undo_begin = { step = NAME },
  undo_end = { step = NAME, ok = BOOLEAN, err = maybe(ERROR) },
  intent = { step = NAME, verb = NAME, of = maybe(NAME), action = maybe(NAME), intent = INTENT,
    max_rpo = maybe(SECONDS), accept_loss = maybe(LOSS), resend_window = maybe(SECONDS),
    one_shot = maybe(BOOLEAN), reverse = maybe(BOOLEAN), force = maybe(list(FORCE)) },
  outcome = { step = maybe(NAME), verb = NAME, group_id = maybe(NAME), client_token = NAME,
    ok = BOOLEAN, outcome = maybe(NAME), code = maybe(WORD), request_id = maybe(NAME),
    result = maybe(TABLE), drill_id = maybe(NAME) },
  call = { call = COUNT, step = NAME, product = NAME, action = NAME, region = maybe(NAME),
    host = maybe(NAME), attempt = maybe(COUNT), client_token = maybe(NAME), digest = maybe(NAME),
    verb = maybe(NAME), stable = maybe(BOOLEAN) },
  answer = { call = COUNT, step = maybe(NAME), outcome = NAME, code = maybe(WORD),
    status = maybe(WORD), request_id = maybe(NAME), server_time = maybe(TIME) },
  gate_open = { gate = NAME, need = COUNT, of = list(NAME), expires = SECONDS,
    decision = maybe(DECISION), keys_from = maybe(NAME),
    keys_file = maybe(TEXT) },
  approval = { gate = NAME, by = NAME, approved_at = schema.integer(0, LAST_TIME),
    signature = SIGNATURE, decision = maybe(SUM) },
  gate_pass = { gate = NAME, approvals = maybe(COUNT), broken = maybe(BOOLEAN), why = maybe(TEXT),
    by = maybe(NAME), decision = maybe(SUM) },
  gate_fail = { gate = NAME, approvals = maybe(COUNT) },
  mode = { mode = MODE, by = maybe(NAME), why = maybe(TEXT), from = maybe(NAME) },
  accept_loss = LOSS.fields,
  outage = { said = schema.rule(moment.ALLOWED, moment.is), by = maybe(NAME) },
  force = FORCE.fields,
  correction = { name = NAME, old = maybe(ANY), new = ANY, by = NAME, why = TEXT },
  mark = { mark = NAME },
  settled = { verb = NAME, group_id = NAME, client_token = NAME, why = TEXT },
  production = { step = maybe(NAME), group_id = NAME, region = NAME,
    state = schema.choice("stopped", "back", "serving"),
    before = maybe(list(object { disk = NAME, instance = NAME, status = maybe(NAME),
      device = maybe(NAME) })) },
  look = { group_id = NAME, region = maybe(NAME), status = maybe(NAME), from = maybe(NAME),
    to = maybe(NAME), from_zone = maybe(NAME), to_zone = maybe(NAME), side = maybe(NAME),
    recover_point = maybe(NUMBER), read_at = maybe(NUMBER), heard_at = maybe(NUMBER),
    pairs = maybe(list(NAME)) },
  note = { text = TEXT, fields = maybe(ANY), left_open = maybe(BOOLEAN),
    left_out = maybe(BOOLEAN), late = maybe(SECONDS) },
  confirmed = { by = NAME, how = maybe(TEXT), groups = list(object { id = NAME, region = NAME,
    from = maybe(NAME), to = maybe(NAME), recover_point = maybe(NUMBER) }) },
  output = { step = NAME, text = TEXT, ok = BOOLEAN, cut = maybe(BOOLEAN),
    cut_short = maybe(BOOLEAN), bytes = maybe(COUNT), kept = maybe(COUNT), file = maybe(NAME) },
  asked = { step = NAME, answer = NAME, by = maybe(NAME), dropped = maybe(NAME) },
  signed = { by = NAME, key = KEY, records = COUNT, head = SUM,
    signed_at = schema.integer(0, LAST_TIME), signature = SIGNATURE },
  anchored = { moment = NAME, records = COUNT, head = SUM, to = NAME, ok = BOOLEAN,
    answer = maybe(TEXT) },
  interrupted = {},
  stopped = { err = ERROR, rolled_back = maybe(BOOLEAN) },
  finished = { status = schema.choice("completed", "completed_with_exceptions"),
    exceptions = list(TEXT), rto = maybe(SECONDS), rpo = maybe(SECONDS) },
}

for kind, fields in pairs(EVENTS) do EVENTS[kind] = needed(fields) end

-- The fields of every record, required and optional.
local COMMON = needed { type = NAME, at = TIME, mail = maybe(SUM) }

--- The fields of each type of record, but for those that all have; "?" follows an optional one.
---@return table<string, string[]>
function M.fields()
  local all = {}
  for kind, rules in pairs(EVENTS) do
    local names = {}
    for i, name in ipairs(tables.keys(rules)) do
      names[i] = name .. (rules[name].required and "" or "?")
    end
    all[kind] = names
  end
  return all
end

local VOICE = schema.voice "field"
VOICE.element, VOICE.unknown = "%s[%d]", nil
VOICE.missing = function(path, rule) return VOICE.wrong(path, "nothing", rule.allowed) end

--- What is wrong with a record, or nil. Unknown fields and unknown types are no fault: a newer
--- version may have written them.
---@param event any
---@return string|nil fault "field owner of attempt: got a table; allowed: text of …"
function M.fault(event)
  if type(event) ~= "table" then return "is no record" end
  local fault = schema.fields_fault(COMMON, event, "", VOICE)
    or EVENTS[event.type] and schema.fields_fault(EVENTS[event.type], event, "", VOICE)
  if not fault then return nil end
  local kind = type(event.type) == "string" and " of " .. errors.clean(event.type) or ""
  local at = fault:find(": got ", 1, true)
  return fault:sub(1, at - 1) .. kind:sub(1, 80) .. fault:sub(at)
end

local function newer_of(event)
  if event.type == "run" and event.version > journals.VERSION then
    return ("a journal of version %d"):format(event.version)
  end
  if EVENTS[event.type] then return nil end
  return ("records of type %s"):format(schema.show(event.type))
end

local function fault_at(events, i)
  local fault = M.fault(events[i])
  if fault then return "holds what cannot be: " .. fault end
  if i > 1 and events[i].type == "run" then return "is a second beginning of the run" end
  return nil
end

--- Checks records.
---@param events table[]
---@return integer|nil line of the first bad record; nil: all are good
---@return string? reason
---@return { line: integer, what: string }? newer the first record that a newer version has written
function M.check(events)
  local newer
  for i = 1, #events do
    local reason = fault_at(events, i)
    if reason then return i, reason, newer end
    local what = not newer and newer_of(events[i])
    if what then newer = { line = i, what = what } end
  end
  return nil, nil, newer
end

local function bytes_of(text, lines)
  local position = 0
  for _ = 1, lines do position = text:find("\n", position + 1, true) end
  return position
end

---@class alicloud.dr.Records: alicloud.dr.JournalReading
---@field newer { line: integer, what: string }? the first record that a newer version has written

--- Reads and checks the text of a journal, and every record in it. Pure.
---@param text string
---@return alicloud.dr.Records|nil
---@return alicloud.dr.JournalDamage|nil damage
function M.read(text)
  local reading, damage = journals.read(text)
  local whole = reading or damage.before
  local line, reason, newer = M.check(whole.events)
  whole.newer = newer
  if not line then return reading, damage end
  local before = { torn = 0, newer = newer, bytes = bytes_of(text, line - 1),
    head = whole.sums[line - 1] or journals.FIRST,
    events = table.move(whole.events, 1, line - 1, 1, {}),
    sums = table.move(whole.sums, 1, line - 1, 1, {}) }
  return nil, { line = line, reason = reason, before = before }
end

--- The error for continuing a run whose journal has records of a newer version; nil: it has none.
---@param name string
---@param newer { line: integer, what: string }|nil
---@return alicloud.Error|nil
function M.newer_error(name, newer)
  if not newer then return nil end
  return errors.new {
    kind = "journal", code = "Client.JournalNewer", outcome = "not_sent", line = newer.line,
    message = ("%s: line %d: %s are of a newer version of alicloud-dr; what they mean is not known "
      .. "here"):format(name, newer.line, newer.what),
    hint = "go on with the version that wrote it; explain, report and verify tell what can be told",
  }
end

return M
