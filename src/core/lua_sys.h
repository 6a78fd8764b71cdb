/* Clocks, waiting for descriptors, and signals, as functions of `alicloud.core`. */
#ifndef AC_LUA_SYS_H
#define AC_LUA_SYS_H

#include "luax.h"

/* [-0, +0, m]  Adds them to the table on top. */
void acL_sys_open(lua_State *L);

#endif
