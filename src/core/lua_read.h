/* `core.read`: an exchange in, a result or the fields of an error out. */
#ifndef AC_LUA_READ_H
#define AC_LUA_READ_H

#include "luax.h"

/* [-0, +0, m]  Registers what acL_read() needs; once per state. */
void acL_read_open(lua_State *L);

/* [-2, +2, v]  read(exchange, options?) -> result, info | nil, fields */
int acL_read(lua_State *L);

#endif
