/* `core.read`: an exchange in, a result or the fields of an error out. */
#ifndef AC_LUA_READ_H
#define AC_LUA_READ_H

#include "luax.h"

/* [-2, +2, v]  read(exchange, signed?) -> result, info | nil, fields */
int acL_read(lua_State *L);

#endif
