/* Runs one target over inputs. A target is spec/fuzz/NAME.lua, where FUZZ_TARGET holds the name: it
 * returns a function that takes the bytes of an input and raises where something does not hold.
 *
 * Built with clang's -fsanitize=fuzzer, libFuzzer makes the inputs; driver.c does elsewhere.
 */
#include "exchange.h"
#include "luax.h"

#include <cjson/cJSON.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>

int luaopen_alicloud_core(lua_State *L);
int luaopen_alicloud_transport(lua_State *L);
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static lua_State *state;

/* libFuzzer takes these for branches: what is read in Lua leads it as what is read in C does. */
__attribute__((section("__libfuzzer_extra_counters"))) static uint8_t lines[4096];

static void count_line(lua_State *L, lua_Debug *record)
{
    lua_getinfo(L, "S", record);
    size_t place = (size_t)record->currentline * 31 + record->srclen;
    lines[place % sizeof lines]++;
}

/* [-1, +1, m]  cjson(text) -> what cJSON makes of it as text | nil */
static int read_with_cjson(lua_State *L)
{
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);
    cJSON *root = cJSON_ParseWithLength(text, n);
    char *printed = root ? cJSON_PrintUnformatted(root) : NULL;
    lua_pushstring(L, printed);
    cJSON_free(printed);
    cJSON_Delete(root);
    return 1;
}

struct op {
    struct ac_exchange_box box; /* first: what core.read() looks for */
    struct ac_exchange exchange;
};

/* [-1, +0, -] */
static int op_close(lua_State *L)
{
    struct op *op = lua_touserdata(L, 1);
    ac_buf_free(&op->exchange.headers);
    ac_buf_free(&op->exchange.body);
    return 0;
}

/* [-3, +1, v]  op(status, header block, body) -> an exchange as our own transport gives it */
static int op_new(lua_State *L)
{
    struct ac_str headers, body;
    lua_Integer status = luaL_checkinteger(L, 1);
    headers.p = luaL_checklstring(L, 2, &headers.n);
    body.p = luaL_checklstring(L, 3, &body.n);
    struct op *op = lua_newuserdatauv(L, sizeof *op, 0);
    *op = (struct op){.box = {.exchange = &op->exchange}};
    op->exchange = (struct ac_exchange){.done = true, .sent = true, .status = (long)status};
    ac_buf_init(&op->exchange.headers, headers.n + 1);
    ac_buf_init(&op->exchange.body, body.n + 1);
    ac_buf_add_str(&op->exchange.headers, headers);
    ac_buf_add_str(&op->exchange.body, body);
    acL_box_class(L, AC_OP_CLASS, op_close);
    luaL_setmetatable(L, AC_OP_CLASS);
    return 1;
}

static int traceback(lua_State *L)
{
    luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
    return 1;
}

static void stop(const char *problem)
{
    fprintf(stderr, "%s\n", problem);
    abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    const char *target = getenv("FUZZ_TARGET");
    lua_State *L = state = luaL_newstate();
    if (!target || !L)
        stop("FUZZ_TARGET names no target");
    luaL_openlibs(L);
    luaL_requiref(L, "alicloud.core", luaopen_alicloud_core, 0);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushcfunction(L, luaopen_alicloud_transport);
    lua_setfield(L, -2, "alicloud.transport");
    lua_register(L, "cjson", read_with_cjson);
    lua_register(L, "op", op_new);
    lua_settop(L, 0);
    lua_pushcfunction(L, traceback);
    lua_pushfstring(L, "spec/fuzz/%s.lua", target);
    if (luaL_loadfile(L, lua_tostring(L, 2)) != LUA_OK || lua_pcall(L, 0, 1, 1) != LUA_OK)
        stop(lua_tostring(L, -1));
    lua_sethook(L, count_line, LUA_MASKLINE, 0);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lua_State *L = state;
    lua_settop(L, 3);
    lua_pushvalue(L, 3);
    lua_pushlstring(L, (const char *)data, size);
    if (lua_pcall(L, 1, 0, 1) != LUA_OK)
        stop(lua_tostring(L, -1));
    return 0;
}
