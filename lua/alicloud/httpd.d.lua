---@meta alicloud.httpd

--- A small HTTP/1.1 server in C, on libmicrohttpd. It returns whole requests and takes whole
--- responses; nothing runs between two calls of `step`. Optional: only the emulator's socket needs
--- it. A server belongs to the process that started it: a forked child can close its copy;
--- everything else raises there.
local httpd = {}

---@class alicloud.httpd.Options
---@field host? string IPv4 address or "localhost" ("127.0.0.1")
---@field port? integer 0 takes a free port (0)
---@field max_body? integer bytes; a larger body gets a 413 response (1 MiB)

---@class alicloud.httpd.Request
---@field method string
---@field path string as on the wire
---@field query string as on the wire, without the question mark
---@field headers table<string, string> names in lower case; values of repeated ones joined with ",
---"
---@field body string
local Request = {}

--- Sends the response. Raises for wrong arguments, and if the request was answered before.
---@param status integer 200 to 599
---@param headers table<string, string>
---@param body? string
---@return true|nil
---@return string|nil problem the client has gone, a header has a forbidden character, or this is a
--- forked child
function Request:respond(status, headers, body) end

--- Closes the connection without a response. Also happens when the request is collected.
function Request:drop() end

---@class alicloud.httpd.Server
local Server = {}

--- Reads and writes on the sockets as far as possible without waiting.
---@return alicloud.httpd.Request[] complete requests
function Server:step() end

---@return integer|nil descriptor to poll for reading; nil if the system has no epoll
function Server:pollfd() end

---@return number|nil seconds until `step` must run even if nothing is readable; nil for never
function Server:timeout() end

---@return integer port on which it listens
function Server:port() end

--- Closes every connection; `respond` of a request that is still held then reports a problem.
function Server:close() end

--- Starts a server. Raises for wrong options.
---@param options? alicloud.httpd.Options
---@return alicloud.httpd.Server|nil
---@return string|nil problem
function httpd.start(options) end

--- Waits until one of several servers has work, or a signal comes.
---@param servers alicloud.httpd.Server[]
---@param seconds number 0-3600
---@return boolean ready
function httpd.wait(servers, seconds) end

return httpd
