---@meta alicloud.httpd

--- A small HTTP/1.1 server over libmicrohttpd, in C. It hands over whole requests and takes whole
--- answers; nothing runs between two calls of `step`. Optional: the emulator's socket alone needs
--- it. A server belongs to the process that started it: a forked child can close its copy, and all
--- else raises.
local httpd = {}

---@class alicloud.httpd.Options
---@field host? string IPv4 address or "localhost" ("127.0.0.1")
---@field port? integer 0 takes a free one (0)
---@field max_body? integer bytes; a larger body is answered with 413 (1 MiB)

---@class alicloud.httpd.Request
---@field method string
---@field path string as on the wire
---@field query string as on the wire, without the question mark
---@field headers table<string, string> names in lower case; repeated ones joined with ", "
---@field body string
local Request = {}

--- Sends the answer. Raises on wrong arguments and when the request was answered before.
---@param status integer 200 to 599
---@param headers table<string, string>
---@param body? string
---@return true|nil
---@return string|nil problem the client has gone, a header has a forbidden character, or this is a
--- child that was forked
function Request:respond(status, headers, body) end

--- Closes the connection without an answer. Also done when the request is collected.
function Request:drop() end

---@class alicloud.httpd.Server
local Server = {}

--- Does what is to be done on the sockets, without waiting.
---@return alicloud.httpd.Request[] complete requests
function Server:step() end

---@return integer|nil descriptor to poll for reading; nil where the system has no epoll
function Server:pollfd() end

---@return number|nil seconds until `step` must run though nothing was readable
function Server:timeout() end

---@return integer
function Server:port() end

--- Closes every connection; requests that are still held can only report that the client has gone.
function Server:close() end

--- Listens. Raises on wrong options.
---@param options? alicloud.httpd.Options
---@return alicloud.httpd.Server|nil
---@return string|nil problem
function httpd.start(options) end

--- Waits until one of several servers has work, or a signal comes.
---@param servers alicloud.httpd.Server[] at most 64
---@param seconds number 0-3600
---@return boolean ready
function httpd.wait(servers, seconds) end

return httpd
