--- Renders readiness in the text format of Prometheus, version 0.0.4, for the textfile collector of
--- node_exporter. An unknown value is absent, never 0. No sample has a time stamp, since that
--- collector refuses them.

local errors = require "alicloud.base.error"
local states = require "alicloud.dr.model.states"
local tables = require "alicloud.base.tables"

local M = {}

local VERDICTS = { "ok", "warn", "unknown", "fail" }

-- One sample for each word: 1 for the present one, 0 for the others.
local function each_of(words, label, now)
  if not now then return nil end
  local list, known = {}, false
  for _, word in ipairs(words) do
    list[#list + 1] = { value = word == now and 1 or 0, label = label, word = word }
    known = known or word == now
  end
  if not known then list[#list + 1] = { value = 1, label = label, word = now } end
  return list
end

local function single(value)
  return value and { { value = value } }
end

local function agreeing(snapshot)
  local count = 0
  for _, pair in ipairs(snapshot.pairs) do
    if pair.status == snapshot.status then count = count + 1 end
  end
  return count
end

-- A sample of a group that was read, and is listed.
local function of_snapshot(pick)
  return function(line)
    local snapshot = line.snapshot
    if not snapshot or not snapshot.status then return nil end
    return single(pick(snapshot))
  end
end

local STATUSES = tables.keys(states.KNOWN)

---@class alicloud.dr.Metric
---@field name string without the prefix alicloud_dr_
---@field help string
---@field samples fun(line: alicloud.dr.ReadinessLine): table[]|nil

-- The metrics of each group; all are gauges.
---@type alicloud.dr.Metric[]
local OF_GROUP = {
  { name = "group_info", help = "Name of the group; the value is 1.",
    samples = function(line)
      local name = line.snapshot and line.snapshot.name
      return name and { { value = 1, label = "name", word = name } }
    end },
  { name = "group_readiness",
    help = "Whether the group could be failed over now; 1 for the verdict that holds.",
    samples = function(line) return each_of(VERDICTS, "verdict", line.verdict) end },
  { name = "group_status",
    help = "Status of the group as the service spells it; 1 for the one that holds.",
    samples = function(line)
      return each_of(STATUSES, "status", line.snapshot and line.snapshot.status)
    end },
  { name = "group_recovery_point_age_seconds",
    help = "Age of the oldest recovery point of the group and its pairs when it was looked at.",
    samples = function(line) return single(line.age) end },
  { name = "group_max_rpo_seconds",
    help = "Age of a recovery point from which on the group fails: --max-rpo.",
    samples = function(line) return single(line.max_rpo) end },
  { name = "group_declared_rpo_seconds",
    help = "RPO that is declared on the group itself.",
    samples = function(line) return single(line.declared_rpo) end },
  { name = "group_pairs",
    help = "Replication pairs that the group counts.",
    samples = of_snapshot(function(snapshot) return snapshot.pair_number or #snapshot.pairs end) },
  { name = "group_pairs_agreeing",
    help = "Replication pairs that were read and have the status of their group.",
    samples = of_snapshot(agreeing) },
  { name = "group_open_drills",
    help = "Drills of the group that are open.",
    samples = function(line) return single(line.open_drills) end },
  { name = "group_unprotected_disks",
    help = "Data disks of the same instances that no pair replicates.",
    samples = function(line) return single(line.unprotected and #line.unprotected) end },
}

local ESCAPES = { ["\\"] = "\\\\", ["\n"] = "\\n", ['"'] = '\\"' }

-- A label value: made valid UTF-8, or the collector would refuse the whole file, and without
-- control characters, since the metrics may be printed to a terminal.
local function value_of(text)
  if not utf8.len(text) then text = text:gsub("[\x80-\xff]", "?") end
  return (text:gsub("[^\n]+", errors.clean):gsub('[\\\n"]', ESCAPES))
end

-- The labels, from a list of names and values in turn.
local function labels_of(words)
  local parts = {}
  for i = 1, #words, 2 do
    parts[#parts + 1] = ('%s="%s"'):format(words[i], value_of(words[i + 1]))
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

-- A host may have set a locale with a decimal comma.
local function add(out, name, words, value)
  out[#out + 1] = ("alicloud_dr_%s%s %s\n"):format(name, labels_of(words),
    ("%.14g"):format(value):gsub(",", "."))
end

-- Adds a family: help, type and all its samples. One without a sample is left out.
local function add_family(out, name, help, samples)
  if #samples == 0 then return end
  out[#out + 1] = ("# HELP alicloud_dr_%s %s\n"):format(name, help)
  out[#out + 1] = ("# TYPE alicloud_dr_%s gauge\n"):format(name)
  table.move(samples, 1, #samples, #out + 1, out)
end

local function add_metric(out, metric, lines)
  local samples = {}
  for _, line in ipairs(lines) do
    for _, sample in ipairs(metric.samples(line) or {}) do
      local words = { "group", line.group_id, "region", line.region }
      if sample.label then table.move({ sample.label, sample.word }, 1, 2, 5, words) end
      add(samples, metric.name, words, sample.value)
    end
  end
  add_family(out, metric.name, metric.help, samples)
end

local function add_all(out, report, look)
  local samples = {}
  for _, sample in ipairs(each_of(VERDICTS, "verdict", report.verdict)) do
    add(samples, "readiness", { "region", look.region, "verdict", sample.word }, sample.value)
  end
  add_family(out, "readiness", "The worst verdict of all groups; 1 for the one that holds.",
    samples)
  samples = {}
  add(samples, "readiness_timestamp_seconds", { "region", look.region }, look.at)
  add_family(out, "readiness_timestamp_seconds", "When the groups were looked at.", samples)
end

--- Renders a report of readiness.
---@param report alicloud.dr.ReadinessReport
---@param look { region: string, at: number } the secondary region, and when it was read (unix
---seconds)
---@return string
function M.readiness(report, look)
  local out = {}
  add_all(out, report, look)
  for _, metric in ipairs(OF_GROUP) do add_metric(out, metric, report.lines) end
  return table.concat(out)
end

return M
