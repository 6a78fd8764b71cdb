---@meta alicloud.core
-- Declarations of the C module for language servers. Never loaded.

---A secret in a C buffer: Lua can hand it on, not read it. Wiped when closed or collected.
---@class alicloud.Secret
local Secret = {}

---Wipes the bytes. Using the secret afterwards raises.
function Secret:close() end

---@return integer bytes
function Secret:length() end

---Hides the secret in a text that is to be shown. One of less than four bytes is not looked for.
---@param text string
---@return string text with *** in its place
function Secret:mask(text) end

---A file that must survive a crash. What fails returns nil, words and the system's code ("ENOSPC").
---It belongs to the process that opened it: a forked child can close its copy, and all else raises.
---@class alicloud.File
local File = {}

---Appends all of the bytes.
---@param bytes string
---@return boolean|nil ok
---@return string? message
---@return string? code
---@return integer? written how many bytes got there before it failed
function File:append(bytes) end

---@param offset integer
---@param count integer at most 64 MiB
---@return string|nil bytes fewer only at the end of the file
---@return string? message
---@return string? code
function File:read(offset, count) end

---fsync. One that failed must not be tried again: the next may say yes to pages that are lost.
---@return boolean|nil ok
---@return string? message
---@return string? code
function File:sync() end

---@param bytes integer
---@return boolean|nil ok
---@return string? message
---@return string? code
function File:truncate(bytes) end

---Takes blocks for that many bytes without making the file longer.
---@param bytes integer from the start of the file
---@return boolean|nil ok
---@return string? message
---@return string? code "EOPNOTSUPP" where the file system cannot
function File:reserve(bytes) end

---An exclusive lock on one byte, which need not be there: one file holds many locks. It ends when
---the file is closed. If the process dies before, it ends with the last child that the process
---forked meanwhile and that runs no other program.
---@param offset integer
---@return boolean|nil locked false if another open file holds it
---@return string? message
---@return string? code "ENOLCK" where the system has no such locks
function File:lock(offset) end

---@param offset integer of a byte that was locked
---@return boolean|nil ok
---@return string? message
---@return string? code
function File:unlock(offset) end

---Whether another open file holds a lock, of this process too. Takes none itself.
---@param offset integer
---@return boolean|nil locked
---@return string? message
---@return string? code
function File:is_locked(offset) end

---@class alicloud.FileStat
---@field bytes integer
---@field type "file"|"directory"|"link"|"other"
---@field mode integer permission bits, with setuid, setgid and sticky
---@field links integer how many names it has
---@field uid integer
---@field gid integer
---@field own boolean it belongs to the user as which this process acts

---@return alicloud.FileStat|nil about
---@return string? message
---@return string? code
function File:stat() end

function File:close() end

---@class alicloud.SignRequest
---@field algorithm? "ACS3-HMAC-SHA256"|"ACS3-HMAC-SM3"|"HMAC-SHA1" the first unless given
---@field method? string upper-cased; POST unless given
---@field scheme? "https"|"http"
---@field host? string host[:port], signed as given; a `host` header wins
---@field path? string "/" unless given
---@field query? table<string, string|number|boolean> flat parameters; `alicloud.null` is `name=`
---@field form? table<string, string|number|boolean> HMAC-SHA1 only: parameters of a form body
---@field headers? table<string, string> every x-acs-*, host and content-type is signed; these win
---@field body? string
---@field payload_hash? string hex, instead of hashing `body`
---@field action? string
---@field version? string
---@field access_key_id? string without it the request stays unsigned
---@field access_key_secret? string|alicloud.Secret
---@field security_token? string|alicloud.Secret
---@field date? string YYYY-MM-DDTHH:MM:SSZ
---@field nonce? string

---@class alicloud.Signed
---@field method string
---@field url string
---@field host string
---@field headers table<string, string> lower-case names, authorization included
---@field body? string
---@field canonical_request? string nil without a key, like the rest
---@field string_to_sign? string
---@field signature? string hex, or base64 for HMAC-SHA1
---@field authorization? string ACS3 only
---@field signed_headers? string ACS3 only

---@class alicloud.ReadInfo
---@field status? integer
---@field request_id? string
---@field date? integer unix seconds of the Date header
---@field body_bytes integer

---@class alicloud.ReadFields: alicloud.ReadInfo
---@field kind "api"|"http"|"network"|"tls"|"timeout"|"decode"|"limit"|"throttled"|"cancelled"
---@field code string verbatim, or ours: "Client.…"
---@field message string
---@field outcome "not_sent"|"rejected"|"unknown"
---@field retryable boolean
---@field retry_class "never"|"transport"|"server"|"throttle"|"nonce"|"clock"|"credentials"|"pending"
---@field retry_after? number seconds
---@field verdict? "wrong secret"|"our canonical string differs"
---@field host_id? string
---@field recommend? string
---@field access_denied_detail? table
---@field failure? string
---@field detail? string

---@class alicloud.core
---@field null userdata JSON null; `tostring` is "null"
---@field version { core: string, build: string, openssl: string, cjson: string, lua: string }
local core = {}

---Signs a request. Pure: clock, nonce and secret are inputs. Raises on misuse, and where a part of
---the request is larger than 4 MiB. White space and line ends around what travels in a header field
---(also the token, key id, nonce, host, action, version) are left out of what is signed and sent, as
---a server does before it verifies; control characters inside are refused.
---Source: help.aliyun.com/document_detail/2593177.html (ACS3), 25490.htm (HMAC-SHA1).
---@param request alicloud.SignRequest
---@return alicloud.Signed
---@nodiscard
function core.sign(request) end

---A signed request in a C buffer; its fields are made when they are asked for.
---@class alicloud.SignedRequest: alicloud.Signed

---What all requests of a kind share.
---@class alicloud.SignKind
---@field algorithm? "ACS3-HMAC-SHA256"|"ACS3-HMAC-SM3"|"HMAC-SHA1" the first unless given
---@field method? string upper-cased; POST unless given
---@field scheme? "https"|"http"
---@field host string host[:port], signed as given
---@field path? string "/" unless given
---@field action? string
---@field version? string
---@field headers? table<string, string>

---Signs a request of the kind that the signer was made for and keeps it in C, ready for
---`Transport:submit`. Pure, and raises on misuse, like `core.sign`.
---@alias alicloud.Signer fun(query: table<string, string|number|boolean>?,
---body_or_form: string|table|nil, date: number, nonce: string, access_key_id: string?,
---access_key_secret: string|alicloud.Secret|nil, security_token: string|alicloud.Secret|nil,
---headers: table<string, string>?): alicloud.SignedRequest

---Makes a signer; what is given here is read and checked once.
---@param kind alicloud.SignKind
---@return alicloud.Signer sign the date is in unix seconds; `headers` come to those of the kind
---@nodiscard
function core.signer(kind) end

---@class alicloud.ReadOptions
---@field string_to_sign? string of the request, for the verdict about a refused signature
---@field canonical_request? string the same
---@field max_bytes? integer largest body that is read, 1 MiB unless given

---Judges an exchange: a result only for a complete 2xx JSON object with a RequestId, rejected only
---for a 4xx (never 408 or 499) with a Code and a RequestId in complete JSON or XML. A RequestId is
---a text that is not blank; a whole number as Code counts as its digits. All texts are UTF-8.
---@param exchange alicloud.Exchange|alicloud.Op an operation that is done is read where it lies
---@param options? alicloud.ReadOptions|alicloud.SignedRequest what was signed
---@return table? result
---@return alicloud.ReadInfo|alicloud.ReadFields info
---@nodiscard
function core.read(exchange, options) end

---Opens a regular file, never through a link.
---@param path string
---@param how "read"|"append"|"create" append creates it if need be, create demands that it is new
---@param mode? integer of a new one, whatever the umask (0600)
---@return alicloud.File|nil file
---@return string? message
---@return string? code "ENOENT", "EEXIST", …
function core.open_file(path, how, mode) end

---What somebody reads along. Nothing is waited for. It belongs to the process that opened it.
---@class alicloud.Sink
local Sink = {}

---@param bytes string
---@return integer|nil written how many of them went at once
---@return string? message
---@return string? code "EPIPE" if nobody reads any more
function Sink:write(bytes) end

---@return integer descriptor
function Sink:fd() end

function Sink:close() end

---Opens a file, to whose end it writes and which it makes if need be (mode 0600), a FIFO that
---somebody reads from, or a copy of a descriptor.
---@param where string|integer a path or a descriptor
---@return alicloud.Sink|nil sink
---@return string? message
---@return string? code "ENXIO" for a FIFO that nobody reads from
function core.open_sink(where) end

---The whole path of what is there, without links.
---@param path string
---@return string|nil path
---@return string? message
---@return string? code
function core.real_path(path) end

---What is at a path; a link is not followed.
---@param path string
---@return alicloud.FileStat|nil about
---@return string? message
---@return string? code
function core.look(path) end

---The names in a directory, in no order.
---@param path string
---@param beginning? string only names that begin so
---@return string[]|nil names
---@return string? message
---@return string? code
function core.list_directory(path, beginning) end

---Who this process acts as.
---@return { uid: integer, gid: integer, groups: table<integer, boolean> } user `groups`: all of them
function core.user() end

---The group that is this user's alone, as many systems give each user one: it has his name, and no
---other member. Root has none.
---@return integer|nil gid
function core.private_group() end

---@param uid integer
---@return string|nil name nil if nobody here has that number
function core.user_name(uid) end

---fsync of a directory, which makes the names in it durable.
---@param path string
---@return boolean|nil ok
---@return string? message
---@return string? code
function core.sync_directory(path) end

---Makes a directory; one that is there already is fine.
---@param path string
---@param mode? integer (0700)
---@return boolean|nil ok
---@return string? message
---@return string? code
function core.make_directory(path, mode) end

---Writes a whole file, or leaves what is there as it is. No link is followed at the end of the path,
---and nothing but a regular file is replaced.
---@param path string
---@param bytes string
---@param whom "private"|"shared"|"new" mode 0600, or as the umask has it; "new" replaces nothing
---@return true|nil
---@return string? message
---@return string? code
function core.write_file(path, bytes, whom) end

---@return { pid: integer, host: string, processors: integer, directory: string? } about this process
---and its machine; no `directory` if the one that it is in was removed
function core.process() end

---@return integer pid of this process
function core.pid() end

---@param descriptor integer
---@return integer|nil columns of a terminal, 0 if it does not say; nil if it is none
function core.terminal(descriptor) end

---Whether there is such a process on this machine, whoever it belongs to. In a container only its
---own are seen.
---@param pid integer
---@return boolean
function core.is_process(pid) end

---@param text string 1 to 65536 bytes without control characters
---@return alicloud.Secret
function core.secret(text) end

---Reads the environment in C, so that the value never becomes a Lua string; sealed variables too.
---@param name string
---@return alicloud.Secret? secret nil if unset or empty
function core.secret_from_env(name) end

---What no id, key or token has in it: blanks, control characters, and what is not ASCII.
---@param word string|alicloud.Secret
---@return string? flaw such as "ends in a line end (\\n)"; quotes nothing else of it
function core.word_flaw(word) end

---The same of a variable of the environment, sealed ones too.
---@param name string
---@return string? flaw nil also if it is not set
function core.environment_flaw(name) end

---Reads a regular file of at most 1 MiB in C, so that its bytes never become a Lua string.
---@param path string
---@return alicloud.Secret? secret nil if it cannot be read
---@return integer|string mode permission bits, or what is wrong
function core.secret_from_file(path) end

---Reads a document whose keys must not become Lua strings, JSON as `decode` does. A document that
---is a Secret is closed by it. In an ini document a comment is a line of its own or stands behind a
---blank, quotes around a value are left off, names come as `access_key_id` however they are
---written, and what stands before the first section is left out; bytes stay as they are. A secret
---is never changed: one that is no Unicode text is refused. A message says where the document is
---wrong and quotes nothing of it.
---@param document string|alicloud.Secret
---@param format "json"|"ini" a JSON object, or sections of `name = value`
---@param names string[] members whose texts come as Secrets; nil where they are empty
---@return table? value
---@return string? message
function core.unseal(document, format, names) end

---A program that was started for its output. It can be waited for like a transport. It belongs to
---the process that started it: a forked child can only close its copy, which ends nothing.
---@class alicloud.Process
local Process = {}

---Takes what it has written; never blocks.
---@return boolean over it has ended, and what it wrote is taken; a daemon that it left behind with its
---pipe may go on
function Process:step() end

---Hands over what it has written to its standard error, where that was asked for. A program waits
---once 64 KiB of it are not taken.
---@return string text "" if there is nothing
function Process:errors() end

---@return integer? descriptor the same until it is closed; nil then
function Process:pollfd() end

---@return "r"
function Process:events() end

---@return number? seconds until step() is due even if the descriptor stays silent
function Process:timeout() end

---@class alicloud.Overflow
---@field bytes integer of the whole output
---@field kept integer of them in the file: all, up to 64 MiB
---@field fault? string why it holds fewer

---@return alicloud.Overflow? overflow nil as long as the output is not more than the cap
function Process:overflow() end

---Hands the output over, once; raises before the process is over.
---@return alicloud.Secret? output nil if it was more than the cap
---@return integer? exit_code nil unless it ended by itself; where the host waits for its children
---itself, or ignores SIGCHLD, 128 and the number of a signal that ended it, as of a shell
---@return integer? signal that ended it; without one and without an exit code nobody can know
function Process:result() end

---Kills it with its children, if it still runs. What it has written can be taken yet.
function Process:kill() end

---Kills it with its children, if it still runs, and wipes the output. Idempotent.
function Process:close() end

---@class alicloud.SpawnOptions
---@field errors? boolean its standard error is read (`process:errors`) instead of the host's own
---@field leashed? boolean it is killed with its children when this process ends, however that ends;
---costs one shell beside all of them
---@field overflow? string path of a new file (mode 0600): an output that is more than the cap goes
---there, all of it, and the program is not killed
---@field without? string[] patterns (*, ?, [a-z]) of names of variables that it does not get

---Starts a program without a shell: no input, the host's standard error and environment (sealed
---variables too), none of its other open files (glibc 2.34 or newer), a process group of its own.
---@param argv string[] 1 to 64; the first is searched for in PATH
---@param max_bytes integer cap of its output, up to 1 MiB; a program that exceeds it is killed
---@param options? alicloud.SpawnOptions
---@return alicloud.Process? process
---@return string? message
function core.spawn(argv, max_bytes, options) end

--- Operations of versions of APIs: a set that nobody can change.
---@class alicloud.Actions
local Actions = {}

---@param version string
---@param action string
---@return boolean
function Actions:has(version, action) end

--- Makes one.
---@param list string[] "2014-05-26 DescribeDisks"
---@return alicloud.Actions
function core.actions(list) end

--- A program that is talked with over a socket. It belongs to the process that started it: a forked
--- child can only close its copy, which ends nothing.
---@class alicloud.Child
local Child = {}

---@return integer descriptor to poll; never blocks
function Child:fd() end

--- Sends all of it, waiting for the child to take it.
---@param text string
---@param seconds? number longest wait, 0 to 86400 (5)
---@return true|nil ok
---@return string? message
function Child:send(text, seconds) end

--- Takes what it has said; never blocks.
---@param max integer bytes, up to 1 MiB
---@return string? bytes "" if there are none yet, nil at its end
function Child:receive(max) end

--- How it ended; nil while it runs.
---@return { exit: integer?, signal: integer? }? how both are absent where the host ignores its
--- children's ends
function Child:ended() end

--- How long it has computed, without children of its own.
---@return number? seconds nil where nobody can tell
function Child:computed() end

--- Kills it with its children, if it still runs. Idempotent.
function Child:close() end

---@class alicloud.ChildOptions
---@field argv string[] 1 to 64; the first is searched for in PATH
---@field env? string[] "NAME=value", up to 64: all of its environment (none)

--- Starts a program without a shell: /dev/null as standard files, the other end of its socket as
--- descriptor 3, none of the host's other open files (glibc 2.34 or newer; what `alicloud.confine`
--- closes, elsewhere), a process group of its own.
---@param options alicloud.ChildOptions
---@return alicloud.Child? child
---@return string? message
function core.child(options) end

---@class alicloud.DecodeOptions
---@field max_bytes? integer largest text that is read, 1 MiB unless given
---@field keep_null? boolean `alicloud.null` for null in an object, whose name is left out else

---Strict JSON (RFC 8259): no trailing text, duplicate keys, numbers of over 63 characters, or depth
---over 32. Integers are exact to 64 bits; larger ones become decimal strings. Strings are always
---UTF-8: U+FFFD stands for other bytes, \u0000 and half a surrogate pair. A byte order mark before
---the text is passed over.
---@param text string
---@param options? alicloud.DecodeOptions
---@return any value nil on failure
---@return string? message
function core.decode(text, options) end

---JSON text with sorted names, always UTF-8: U+FFFD stands for other bytes. Raises on what JSON
---cannot carry, and on two names that become the same text.
---@param value any
---@return string
function core.encode(value) end

---Marks a table as an array, so that an empty one encodes as `[]`.
---@generic T
---@param list? T[]
---@return T[]
function core.array(list) end

---@param value any
---@return boolean
function core.is_array(value) end

---Whether JSON can hold a value, so that nothing foreign runs when it is read: no objects, up to 64
---tables deep, up to 1,000,000 values. Calls nothing.
---@param value any
---@return boolean
function core.is_json(value) end

---A copy of a value that JSON gives back as it is; nil where anything about it is odd: what is no
---text in UTF-8, null, holes, objects, more than 20 tables in each other or 10,000 in all, or a
---name that `secrets` does not know. Calls nothing of the value's.
---@param value any
---@param secrets table<string, boolean> whether what a name stands for is hidden; its `__index` is
---asked for the names that it has not
---@param hidden any what stands in its place
---@return any
function core.plain_copy(value, secrets, hidden) end

---@param name "SHA1"|"SHA256"|"SM3"
---@param text string
---@return string raw
function core.digest(name, text) end

---@param name "SHA1"|"SHA256"|"SM3"
---@param key string
---@param text string
---@return string raw
function core.hmac(name, key, text) end

---@param seed string|alicloud.Secret 64 hex digits, the private key of RFC 8032
---@return string public_key 64 hex digits
function core.ed25519_public(seed) end

---@param seed string|alicloud.Secret 64 hex digits
---@param text string
---@return string signature 128 hex digits
function core.ed25519_sign(seed, text) end

---@param public_key string 64 hex digits
---@param signature string 128 hex digits
---@param text string
---@return boolean
function core.ed25519_verify(public_key, signature, text) end

---@param text string
---@return string hex lower case
function core.sha256(text) end

---@param key string
---@param text string
---@return string hex lower case
function core.hmac_sha256(key, text) end

---@param bytes string
---@return string
function core.hex(bytes) end

---@param bytes integer 1 to 256, from the system's generator
---@return string hex of twice that length
function core.random_hex(bytes) end

---@param bytes string
---@return string
function core.base64(bytes) end

---RFC 4648 section 4, padded.
---@param text string
---@return string? bytes nil if it is anything else
function core.unbase64(text) end

---RFC 3986 section 2.3.
---@param text string
---@return string
function core.percent_encode(text) end

---@param text string
---@return string? bytes nil on a broken escape
function core.percent_decode(text) end

---Compares in a time that depends on the lengths only.
---@param a string
---@param b string
---@return boolean
function core.equal(a, b) end

---@return number seconds since 1970
function core.time() end

---@return number seconds of a clock that never jumps
function core.monotonic() end

---@return number seconds of such a clock, which goes on while the machine sleeps
function core.boottime() end

---Waits for one of some descriptors, or only waits. A signal ends it early. Raises where one of them
---is not open, or where they are more than this process may have open.
---@param fd integer|integer[]|nil up to 1048576
---@param events "r"|"w"|"rw"
---@param seconds number 0 to 86400
---@return boolean ready
function core.poll(fd, events, seconds) end

---Descriptors behind one that is readable when any of them is ready. For a loop that watches only one
---and always the same. A child that was forked has one of its own, with another descriptor and empty
---at first.
---@class alicloud.PollGroup
local PollGroup = {}

---From now on it counts; costs nothing for one that does already. Raises where it is not open.
---@param fd integer
---@param events? "r"|"w"|"rw" "r" unless given
function PollGroup:add(fd, events) end

---Before it is closed, or another one of its number would be taken for it. One that is not in the
---group is fine.
---@param fd integer
function PollGroup:remove(fd) end

---@return integer descriptor the same as long as the group is open
function PollGroup:pollfd() end

---Idempotent; `__close` and `__gc` do the same.
function PollGroup:close() end

---@return alicloud.PollGroup
---@nodiscard
function core.poll_group() end

---Reads what a descriptor has; waits if it has nothing, so it is polled before.
---@param descriptor integer
---@param max integer bytes, 1 to 4096
---@return string? bytes none if a signal came first; nil at the end
---@return string? message
function core.take(descriptor, max) end

---@param text string IMF-fixdate (RFC 9110 section 5.6.7)
---@return integer? unix_seconds
function core.http_date(text) end

---@param unix_seconds number
---@return string text YYYY-MM-DDTHH:MM:SSZ
function core.iso8601(unix_seconds) end

---@param text string YYYY-MM-DDTHH:MM:SSZ
---@return integer? unix_seconds
function core.parse_iso8601(text) end

---The candidate that differs in the fewest letters, if it is near.
---@param word string
---@param candidates string[]
---@return string?
function core.suggest(word, candidates) end

---Takes variables out of the process's environment and wipes them there; `secret_from_env` and
---programs still get them. For a program that owns its process; nothing in the library calls it.
---@param names string[]
---@return integer count of those that were set
function core.seal_environment(names) end

---Lets this process leave no core, and nobody but root look into its memory (Linux). For a program
---that owns its process; nothing in the library calls it.
function core.forbid_dumps() end

---Makes writing to a closed pipe an error of the write instead of the end of the process. For a
---program that owns its process; nothing in the library calls it.
function core.ignore_sigpipe() end

---For commands that let another program have the terminal: remembers how the process treats SIGINT.
---@return fun(wanted: boolean) set true puts that back, false ignores the signal
function core.keep_interrupt() end

---For commands: SIGINT, SIGTERM and SIGHUP end what this process does, each unless it is ignored.
---The signal is noted until `clear_interrupt`. Meanwhile `checkpoint` raises the string
---"interrupted!", and so does, again and again, code that computes, unless it is the library's.
---Which code that is, the sources of chunks say. A signal that comes again ends the process at once.
---Takes the place of `coroutine.resume`, `coroutine.wrap` and `os.execute`, so that what they do can
---be ended too.
---@param root string how sources of the library's chunks begin
---@param open string[] how sources of those begin that may be interrupted all the same
function core.answer_signals(root, open) end

---The signal of `answer_signals` that has come.
---@return integer? number nil while none has come
function core.ended_by() end

---Raises "interrupted!" if a signal of `answer_signals` has come, unless that is shielded.
function core.checkpoint() end

---Goes on as if no signal had come.
function core.clear_interrupt() end

---While it is shielded, a signal is noted and nothing is raised.
---@param wanted boolean
---@return boolean before whether it was shielded
function core.shield_interrupt(wanted) end

---A function that does what `body` does, in another coroutine where the main thread calls it: the
---stand-alone interpreter raises Ctrl-C in the main thread only, so what `body` does is done whole.
---That coroutine serves the next call, too. Called elsewhere, the function is `body`.
---@generic F: function
---@param body F
---@return F
function core.aside(body) end

---As `coroutine.resume`; a signal of `answer_signals` that comes meanwhile ends what computes in the
---coroutine. Of one that plain `coroutine.resume` runs, nothing is known.
---@param thread thread
---@param ... any
---@return boolean ok
---@return any ... results, or what was raised
function core.resume(thread, ...) end

return core
