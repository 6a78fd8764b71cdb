--- Sends spans to a collector without delaying the command: a request is started and advanced while
--- the command does other work. Only at the end the command waits for it, for a moment.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"
local runtimes = require "alicloud.base.runtime"
local spans = require "alicloud.otel.span"

local M = {}

-- Limits of the specification: spans that wait, spans in a request, seconds between requests.
local MOST_WAITING, MOST_SENT, BETWEEN = 2048, 512, 5
-- For one batch: attempts, and the backoff after the first one, in seconds.
local TRIES, PAUSE = 5, 1

local RETRYABLE = { [429] = true, [502] = true, [503] = true, [504] = true }

---@class alicloud.otel.Exporter
---@field settings alicloud.otel.Settings
---@field clock alicloud.Runtime the machine's real clock, even if the command uses another one
---@field waiting alicloud.otel.Span[] spans that are not in a batch yet
---@field since number? monotonic seconds since when spans are waiting; nil if none are
---@field batch { body: string, count: integer, tries: integer, retry_at: number? }?
---@field op alicloud.Op? the request that is in flight
---@field at_end boolean? close() was called: no more spans will come
---@field lost integer number of spans that could not be sent
---@field why string? why the last of them were lost
local Exporter = {}
Exporter.__index = Exporter

---@param settings alicloud.otel.Settings
---@return alicloud.otel.Exporter
function M.new(settings)
  return setmetatable({ settings = settings, clock = runtimes.new(), waiting = {}, lost = 0,
    resource = { attributes = spans.attributes(settings.resource) } }, Exporter)
end

function Exporter:lose(count, why)
  self.lost, self.why = self.lost + count, why
end

local function take_batch(self)
  local count = math.min(#self.waiting, MOST_SENT)
  local list = core.array {}
  for i = 1, count do list[i] = self.waiting[i]:encoded() end
  self.waiting = table.move(self.waiting, count + 1, #self.waiting, 1, {})
  self.since = #self.waiting > 0 and self.clock.monotonic() or nil
  local scope = { name = "alicloud-dr", version = core.version.core }
  self.batch = { count = count, tries = 0, body = core.encode { resourceSpans = core.array {
    { resource = self.resource, scopeSpans = core.array { { scope = scope, spans = list } } } } } }
end

local function send(self)
  local settings, headers = self.settings, { ["content-type"] = "application/json" }
  for name, value in pairs(settings.headers) do headers[name:lower()] = value end
  self.batch.tries, self.batch.retry_at = self.batch.tries + 1, nil
  self.op = self.transport:submit { method = "POST", url = settings.url, headers = headers,
    body = self.batch.body, timeout = settings.timeout, plain_http = true }
end

-- A collector may reject a part of a batch; the specification forbids sending the batch again.
local function note_rejected(self, body)
  local answer = core.decode(body or "")
  local part = type(answer) == "table" and type(answer.partialSuccess) == "table"
    and answer.partialSuccess or {}
  local count = math.tointeger(tonumber(part.rejectedSpans))
  if count and count > 0 then
    self:lose(math.min(count, self.batch.count),
      "refused: " .. errors.text_of(part.errorMessage or "no reason given", 200))
  end
end

local function pause_of(clock, answer, tries)
  local asked = answer.headers and tonumber(answer.headers["retry-after"] or "")
  return asked or PAUSE * 2 ^ (tries - 1) * (0.5 + clock.random())
end

local function take_answer(self)
  local op <close>, batch = self.op, self.batch
  local answer = op:result()
  self.op = nil
  local status = answer.status
  if not answer.failure and status >= 200 and status <= 299 then
    note_rejected(self, answer.body)
    self.batch = nil
    return
  end
  local passes = answer.failure and not self.at_end or RETRYABLE[status]
  if passes and batch.tries < TRIES then
    batch.retry_at = self.clock.monotonic() + pause_of(self.clock, answer, batch.tries)
    batch.why = answer.failure and (answer.detail or answer.failure) or "HTTP status " .. status
    return
  end
  self:lose(batch.count, answer.failure and (answer.detail or answer.failure)
    or "HTTP status " .. status)
  self.batch = nil
end

local function is_due(self, now)
  if self.batch then return not self.batch.retry_at or now >= self.batch.retry_at end
  return #self.waiting >= MOST_SENT or #self.waiting > 0 and (self.at_end or now >= self.since
    + BETWEEN)
end

local function pump(self)
  if self.op then
    self.transport:step()
    if not self.op:done() then return end
    take_answer(self)
  end
  if not is_due(self, self.clock.monotonic()) then return end
  self.transport = self.transport or require("alicloud.transport").new(self.settings.trust)
  if not self.batch then take_batch(self) end
  send(self)
end

--- Advances the request in flight. Never waits; raises only for an interrupt.
function Exporter:pump()
  local ok, raised = guard.call(pump, self)
  if ok then return end
  self:lose((self.batch and self.batch.count or 0) + #self.waiting, errors.text_of(raised, 200))
  self.batch, self.op, self.waiting = nil, nil, {}
end

--- Queues a span that has ended.
---@param span alicloud.otel.Span
function Exporter:add(span)
  if #self.waiting >= MOST_WAITING then return self:lose(1, "too many wait") end
  self.waiting[#self.waiting + 1] = span
  self.since = self.since or self.clock.monotonic()
  self:pump()
end

-- Counts everything that is left as lost.
local function give_up(self)
  local batch = self.batch
  local count = #self.waiting + (batch and batch.count or 0)
  if count > 0 then self:lose(count, batch and batch.why or "no answer in time") end
end

--- Sends what is left and waits for that.
---@param seconds number the longest wait
function Exporter:close(seconds)
  local clock = self.clock
  local last = clock.monotonic() + seconds
  self.at_end = true
  while true do
    self:pump()
    local now = clock.monotonic()
    local next_at = self.batch and self.batch.retry_at or now
    if not self.batch and #self.waiting == 0 or now >= last or next_at > last then break end
    if self.op then self.transport:wait(last - now) else clock.sleep(math.max(0, next_at - now)) end
  end
  give_up(self)
  if self.transport then self.transport:close() end
end

return M
