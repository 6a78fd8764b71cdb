/* Programs as userdata, pollable like a transport. */
#ifndef AC_LUA_PROCESS_H
#define AC_LUA_PROCESS_H

#include "luax.h"

/* [-0, +0, m]  Registers the class. */
void acL_process_open(lua_State *L);

/* [-2, +2, v]  spawn(argv, max_bytes) -> Process | nil, message */
int acL_spawn(lua_State *L);

#endif
