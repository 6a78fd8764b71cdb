--- What specs of recordings begin with: an exchange to change, a recorder over a new file, and what
--- is in the file afterwards.

local core = require "alicloud.core"
local recorder = require "alicloud.conformance.recording.recorder"
local scratch = require "spec.scratch"

local M = {}

M.NOW = 1795996800

--- An exchange of a reading call.
---@param given? table fields that differ; `json` is the body of its answer
---@return alicloud.RecordedExchange
function M.exchange(given)
  local exchange = { product = "ebs", version = "2021-07-30", action = "DescribeDiskReplicaGroups",
    region = "cn-shanghai", mutating = false, method = "POST", seconds = 0.012, attempt = 1,
    host = "ebs.cn-shanghai.aliyuncs.com", params = { RegionId = "cn-shanghai" }, headers = {},
    keys = { access_key_id = "LTAI5tKeyOfNobody01", access_key_secret = "nobody-knows-this-1" },
    answer = { status = 200, headers = {}, body = '{"RequestId":"x"}' } }
  for name, value in pairs(given or {}) do exchange[name] = value end
  if exchange.json then
    exchange.answer = { status = 200, headers = {}, body = core.encode(exchange.json) }
  end
  return exchange
end

--- Opens a recorder over a file.
---@param options? alicloud.recording.Options
---@param path? string else a new one
---@return alicloud.recording.Recorder
---@return string path
function M.open(options, path)
  path = path or scratch.path ".jsonl"
  local given = { now = function() return M.NOW end }
  for name, value in pairs(options or {}) do given[name] = value end
  return assert(recorder.open(path, given)), path
end

--- The lines of a file, read.
---@param path string
---@return table[]
function M.lines(path)
  local list = {}
  for line in io.lines(path) do list[#list + 1] = assert(core.decode(line)) end
  return list
end

--- What becomes of one exchange.
---@param given? table as for `exchange`
---@param options? alicloud.recording.Options
---@return table line
---@return string text of the whole file
function M.line_of(given, options)
  local recording, path = M.open(options)
  recording:exchange(M.exchange(given))
  recording:close()
  return M.lines(path)[2], scratch.read(path)
end

return M
