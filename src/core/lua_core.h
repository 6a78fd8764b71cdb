/* What the Lua files of core give to core.c: openers, called once per state, and functions of
 * `alicloud.core`. The opener of a file that adds functions of its own needs their table on top. */
#ifndef AC_LUA_CORE_H
#define AC_LUA_CORE_H

#include "luax.h"

/* [-0, +0, m]  Each. */
void acL_ed25519_open(lua_State *L);
void acL_file_open(lua_State *L);
void acL_process_open(lua_State *L);
void acL_sys_open(lua_State *L);

#endif
