--- Deals seeds to processes without rights. Their reports are counted in the order of seeds, so
--- that the result does not depend on the number of processes.

local confine = require "alicloud.cli.confine"
local schema = require "alicloud.base.schema"
local shapes = require "alicloud.cli.confine.shapes"

local M = {}

-- BLOCK: seeds that are dealt at once; MOST: violations after which the exploration stops.
local BLOCK, MOST = 10, 10

--- Most bytes kept: of reports that wait for that of an earlier seed, and of different endings.
M.MOST_BYTES = 256 * 1024 * 1024

local text, count = shapes.text, shapes.count

local SEED = { seed = shapes.seed, processes = count, crashes = count, requests = count,
  effects = count, ending = text(12000), met = shapes.map(count, 10000, 12000),
  ["harm?"] = shapes.object { what = text(12000), troubles = shapes.list(text(12000), 1000),
    only = shapes.list(schema.integer(1, 10000), 1000) } }

local COUNTED = { "processes", "crashes", "requests", "effects" }

local function add(report, seed)
  report.seeds = report.seeds + 1
  for _, name in ipairs(COUNTED) do report[name] = report[name] + seed[name] end
  report.endings[seed.ending] = (report.endings[seed.ending] or 0) + 1
  for name, n in pairs(seed.met) do report.met[name] = (report.met[name] or 0) + n end
  local harm = seed.harm
  if not harm then return end
  report.harmed = report.harmed + 1
  harm.seed = seed.seed
  table.insert(report.violations, harm)
end

-- Counts the reports that have come, up to the first seed whose report is missing.
local function fold(deal)
  local report = deal.report
  while deal.told[deal.fold] and #report.violations < MOST do
    local told = deal.told[deal.fold]
    local ending = told.frame.ending
    deal.bytes = deal.bytes - told.bytes + (report.endings[ending] and 0 or #ending)
    add(report, told.frame)
    deal.told[deal.fold], deal.fold = nil, deal.fold + 1
    deal.progress(report)
  end
end

local function is_done(deal)
  return deal.fold > deal.last or #deal.report.violations >= MOST
end

local function handlers_of(deal, begin)
  local next_seed, last = 1, 0
  return {
    playbook = begin,
    ready = { shape = shapes.READY, answer = function(frame)
      -- Both fields come only with the first `ready`, before the first block.
      deal.report.programs = frame.programs or deal.report.programs
      deal.report.unused = frame.unused or deal.report.unused
      if next_seed <= last then return { type = "end" } end
      next_seed, last = deal.next, math.min(deal.next + BLOCK - 1, deal.last)
      deal.next = last + 1
      if next_seed > last then return { type = "end" } end
      return { type = "block", first = next_seed, count = last - next_seed + 1 }
    end },
    seed = { shape = SEED, advances = true, answer = function(frame, bytes)
      if frame.seed ~= next_seed or next_seed > last then
        return nil, "a seed that was not dealt to it"
      end
      deal.told[next_seed], next_seed = { frame = frame, bytes = bytes }, next_seed + 1
      deal.bytes = deal.bytes + bytes
      fold(deal)
      if deal.bytes > M.MOST_BYTES then return nil, "more of its seeds than can be kept" end
    end },
  }
end

local function close(list)
  for _, confined in ipairs(list) do confined:close() end
end

--- Explores until all seeds are done, MOST violations are found or a process fails.
---@param about alicloud.cli.ConfinedJob
---@param begin table handler of the frame `playbook`
---@param options { first: integer, seeds: integer, jobs: integer,
---progress: fun(report: alicloud.simulation.Report) }
---@return alicloud.simulation.Report|nil
---@return alicloud.cli.Confined the process that failed, else the first one
function M.explore(about, begin, options)
  local deal = { next = options.first, fold = options.first, bytes = 0,
    last = options.first + options.seeds - 1, told = {}, progress = options.progress,
    report = { seeds = 0, processes = 0, crashes = 0, requests = 0, effects = 0, harmed = 0,
      endings = {}, met = {}, violations = {} } }
  local list = {}
  local _ <close> = setmetatable({}, { __close = function() close(list) end })
  for n = 1, math.min(options.jobs, (options.seeds + BLOCK - 1) // BLOCK) do
    list[n] = confine.start { entry = about.entry, job = about.job, time = about.time,
      io = about.io, handlers = handlers_of(deal, begin) }
  end
  local failed = confine.share(list, function() return is_done(deal) end, "seeds")
  confine.tell_missing(about.io, list[1])
  if failed then return nil, failed end
  return deal.report, list[1]
end

return M
