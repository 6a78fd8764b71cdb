/* `alicloud.core`: everything that needs no network. Defines encodings and digests for Lua, and
 * registers the functions of the lua_*.c files. */
#include "codec.h"
#include "digest.h"
#include "lua_core.h"
#include "lua_secret.h"
#include "sys.h"
#include "value.h"

#include <cjson/cJSON.h>

AC_EXPORT int luaopen_alicloud_core(lua_State *L);

#define ENCODE_MAX_BYTES ((size_t)64 * 1024 * 1024)
#define RANDOM_MAX_BYTES 256

struct decode_options {
    size_t max_bytes;
    bool keep_null;
};

static const struct acL_option DECODE_OPTIONS[] = {
    {"max_bytes", ACL_BYTES, offsetof(struct decode_options, max_bytes)},
    {"keep_null", ACL_BOOLEAN, offsetof(struct decode_options, keep_null)},
    {0}};

/* [-2, +2, v]  decode(text, { max_bytes, keep_null }?) -> value | nil, message */
static int core_decode(lua_State *L)
{
    struct decode_options options = {AC_MAX_BODY_BYTES, false};
    struct ac_str text = acL_check_bytes(L, 1);
    if (!lua_isnoneornil(L, 2))
        acL_read_options(L, 2, "decode", DECODE_OPTIONS, &options);
    struct ac_json_reader reader;
    if (ac_json_open(&reader, text, options.max_bytes) &&
        ac_value_push(L, &reader, options.keep_null, 0))
        return 1;
    luaL_pushfail(L);
    ac_value_push_fault(L, &reader);
    return 2;
}

/* [-0, +1, v]  Pushes the bytes of a buffer as a string; raises if an append to it had failed. */
static int push_filled(lua_State *L, const struct ac_buf *out, const char *what)
{
    acL_check(L, out->status, what);
    acL_push_bytes(L, ac_buf_str(out));
    return 1;
}

/* [-1, +1, v]  encode(value) -> text */
static int core_encode(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_settop(L, 1);
    struct ac_buf *out = acL_push_buf(L, ENCODE_MAX_BYTES);
    ac_value_encode(L, 1, out);
    return push_filled(L, out, "encode");
}

/* [-1, +1, v]  array(t?) -> t, with the metatable that makes encode() write it as `[…]` */
static int core_array(lua_State *L)
{
    if (lua_isnoneornil(L, 1)) {
        lua_settop(L, 0);
        lua_newtable(L);
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    ac_value_push_array_metatable(L);
    lua_setmetatable(L, 1);
    return 1;
}

/* [-1, +1, m]  is_json(value) -> boolean */
static int core_is_json(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_pushboolean(L, ac_value_is_json(L, 1));
    return 1;
}

/* [-3, +1, v]  plain_copy(value, secrets, hidden) -> copy | nil */
static int core_plain_copy(lua_State *L)
{
    luaL_checkany(L, 3);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 3);
    ac_value_push_plain(L, 1, 2, 3);
    return 1;
}

/* [-1, +1, m]  is_array(t) -> boolean */
static int core_is_array(lua_State *L)
{
    lua_pushboolean(L, ac_value_is_array(L, 1));
    return 1;
}

static enum ac_hash check_hash(lua_State *L, int index)
{
    static const char *const names[] = {"SHA1", "SHA256", "SM3", NULL};
    return (enum ac_hash)luaL_checkoption(L, index, NULL, names);
}

/* [-2, +1, v]  digest(name, text) -> raw bytes */
static int core_digest(lua_State *L)
{
    unsigned char raw[AC_HASH_MAX_BYTES];
    enum ac_hash hash = check_hash(L, 1);
    acL_check(L, ac_digest_hash(acL_digest(L), hash, acL_check_bytes(L, 2), raw), "digest");
    lua_pushlstring(L, (const char *)raw, ac_digest_size(hash));
    return 1;
}

/* [-3, +1, v]  hmac(name, key, text) -> raw bytes */
static int core_hmac(lua_State *L)
{
    unsigned char raw[AC_HASH_MAX_BYTES];
    enum ac_hash hash = check_hash(L, 1);
    acL_check(
        L, ac_digest_hmac(acL_digest(L), hash, acL_check_bytes(L, 2), acL_check_bytes(L, 3), raw),
        "hmac");
    lua_pushlstring(L, (const char *)raw, ac_digest_size(hash));
    return 1;
}

/* [-1, +1, v]  sha256(text) -> hex */
static int core_sha256(lua_State *L)
{
    unsigned char raw[AC_HASH_MAX_BYTES];
    acL_check(L, ac_digest_hash(acL_digest(L), AC_SHA256, acL_check_bytes(L, 1), raw), "sha256");
    return acL_push_hex(L, raw, ac_digest_size(AC_SHA256));
}

/* [-2, +1, v]  hmac_sha256(key, text) -> hex */
static int core_hmac_sha256(lua_State *L)
{
    unsigned char raw[AC_HASH_MAX_BYTES];
    struct ac_str key = acL_check_bytes(L, 1), text = acL_check_bytes(L, 2);
    acL_check(L, ac_digest_hmac(acL_digest(L), AC_SHA256, key, text, raw), "hmac_sha256");
    return acL_push_hex(L, raw, ac_digest_size(AC_SHA256));
}

/* [-1, +1, v]  hex(bytes) -> text */
static int core_hex(lua_State *L)
{
    struct ac_str in = acL_check_bytes(L, 1);
    return acL_push_hex(L, (const unsigned char *)in.p, in.n);
}

/* [-1, +1, v]  random_hex(bytes) -> text of twice that length */
static int core_random_hex(lua_State *L)
{
    unsigned char raw[RANDOM_MAX_BYTES];
    lua_Integer n = luaL_checkinteger(L, 1);
    luaL_argcheck(L, n >= 1 && n <= RANDOM_MAX_BYTES, 1, "1 to 256 bytes");
    if (!ac_sys_random(raw, (size_t)n))
        luaL_error(L, "random_hex: the system has no randomness to give");
    return acL_push_hex(L, raw, (size_t)n);
}

/* [-1, +1, v]  base64(bytes) -> text */
static int core_base64(lua_State *L)
{
    struct ac_str in = acL_check_bytes(L, 1);
    struct ac_buf *out = acL_push_buf(L, in.n * 2 + 4);
    ac_codec_base64(out, (const unsigned char *)in.p, in.n);
    return push_filled(L, out, "base64");
}

/* [-1, +1, v]  unbase64(text) -> bytes or nil */
static int core_unbase64(lua_State *L)
{
    struct ac_str in = acL_check_bytes(L, 1);
    struct ac_buf *out = acL_push_buf(L, in.n + 1);
    if (!ac_codec_unbase64(out, in)) {
        lua_pushnil(L);
        return 1;
    }
    return push_filled(L, out, "unbase64");
}

/* [-1, +1, v]  percent_encode(text) -> text */
static int core_percent_encode(lua_State *L)
{
    struct ac_str in = acL_check_bytes(L, 1);
    struct ac_buf *out = acL_push_buf(L, in.n * 3);
    ac_codec_percent(out, in);
    return push_filled(L, out, "percent_encode");
}

/* [-1, +1, v]  percent_decode(text) -> bytes | nil */
static int core_percent_decode(lua_State *L)
{
    struct ac_str in = acL_check_bytes(L, 1);
    struct ac_buf *out = acL_push_buf(L, in.n);
    return ac_codec_percent_decode(out, in) ? push_filled(L, out, "percent_decode") : 0;
}

/* [-2, +1, v]  equal(a, b) -> boolean; the time taken depends on the lengths only */
static int core_equal(lua_State *L)
{
    lua_pushboolean(L, ac_digest_equal(acL_check_bytes(L, 1), acL_check_bytes(L, 2)));
    return 1;
}

/* [-1, +1, v]  http_date(text) -> unix seconds | nil */
static int core_http_date(lua_State *L)
{
    int64_t when;
    if (!ac_codec_parse_http_date(acL_check_bytes(L, 1), &when))
        return 0;
    lua_pushinteger(L, when);
    return 1;
}

/* [-1, +1, v]  iso8601(unix seconds) -> "YYYY-MM-DDTHH:MM:SSZ"; fractions are cut */
static int core_iso8601(lua_State *L)
{
    char text[21];
    acL_date_text(L, 1, text);
    lua_pushstring(L, text);
    return 1;
}

/* [-1, +1, v]  parse_iso8601(text) -> unix seconds | nil */
static int core_parse_iso8601(lua_State *L)
{
    int64_t when;
    if (!ac_codec_parse_iso8601(acL_check_bytes(L, 1), &when))
        return 0;
    lua_pushinteger(L, when);
    return 1;
}

/* [-2, +1, v]  suggest(word, candidates) -> the nearest candidate | nil */
static int core_suggest(lua_State *L)
{
    const char *word = luaL_checkstring(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    size_t least = acL_too_far(word);
    lua_Integer n = (lua_Integer)lua_rawlen(L, 2);
    lua_pushnil(L);
    for (lua_Integer i = 1; i <= n; i++) {
        bool text = lua_rawgeti(L, 2, i) == LUA_TSTRING;
        size_t distance = text ? acL_distance(word, lua_tostring(L, 4)) : least;
        if (distance < least) {
            least = distance;
            lua_copy(L, 4, 3);
        }
        lua_settop(L, 3);
    }
    return 1;
}

static const luaL_Reg FUNCTIONS[] = {{"sign", acL_sign},
                                     {"signer", acL_signer},
                                     {"read", acL_read},
                                     {"unseal", acL_unseal},
                                     {"decode", core_decode},
                                     {"encode", core_encode},
                                     {"array", core_array},
                                     {"is_array", core_is_array},
                                     {"is_json", core_is_json},
                                     {"plain_copy", core_plain_copy},
                                     {"digest", core_digest},
                                     {"hmac", core_hmac},
                                     {"sha256", core_sha256},
                                     {"hmac_sha256", core_hmac_sha256},
                                     {"hex", core_hex},
                                     {"random_hex", core_random_hex},
                                     {"base64", core_base64},
                                     {"unbase64", core_unbase64},
                                     {"percent_encode", core_percent_encode},
                                     {"percent_decode", core_percent_decode},
                                     {"equal", core_equal},
                                     {"http_date", core_http_date},
                                     {"iso8601", core_iso8601},
                                     {"parse_iso8601", core_parse_iso8601},
                                     {"suggest", core_suggest},
                                     {NULL, NULL}};

/* [-0, +1, m]  Pushes the field `version`: { core, build, openssl, cjson, lua } */
static void push_version(lua_State *L)
{
    lua_createtable(L, 0, 5);
    lua_pushliteral(L, AC_VERSION);
    lua_setfield(L, -2, "core");
    lua_pushstring(L, ac_build);
    lua_setfield(L, -2, "build");
    lua_pushstring(L, ac_digest_library());
    lua_setfield(L, -2, "openssl");
    /* cJSON_Version() is not used: it writes into a buffer that all threads share. */
    lua_pushfstring(L, "%d.%d.%d", CJSON_VERSION_MAJOR, CJSON_VERSION_MINOR, CJSON_VERSION_PATCH);
    lua_setfield(L, -2, "cjson");
    lua_pushliteral(L, LUA_RELEASE);
    lua_setfield(L, -2, "lua");
}

int luaopen_alicloud_core(lua_State *L)
{
    acL_check_build(L);
    ac_sys_pin((const void *)FUNCTIONS);
    luaL_newlib(L, FUNCTIONS);
    acL_buf_class(L);
    acL_secret_open(L);
    acL_sealed_open(L);
    acL_sign_open(L);
    acL_read_open(L);
    ac_value_open(L);
    acL_sink_open(L);
    acL_sys_open(L);
    acL_interrupt_open(L);
    acL_resume_open(L);
    acL_file_open(L);
    acL_owner_open(L);
    acL_process_open(L);
    acL_child_open(L);
    acL_poll_group_open(L);
    acL_actions_open(L);
    acL_environment_open(L);
    acL_ed25519_open(L);
    ac_value_push_null(L);
    lua_setfield(L, -2, "null");
    push_version(L);
    lua_setfield(L, -2, "version");
    return 1;
}
