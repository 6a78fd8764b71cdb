/* The Lua faces of the files beside: each registers its classes, and its functions in the table on
 * top of the stack. */
#ifndef AC_LUA_CORE_H
#define AC_LUA_CORE_H

#include "luax.h"

/* [-0, +0, m] */
void acL_ed25519_open(lua_State *L);
void acL_file_open(lua_State *L);
void acL_process_open(lua_State *L);
void acL_sys_open(lua_State *L);

/* [-0, +0, v]  A path without NUL. */
const char *acL_check_path(lua_State *L, int index);

/* [-0, +1, m] */
int acL_push_hex(lua_State *L, const unsigned char *raw, size_t n);

#endif
